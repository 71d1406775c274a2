/**
 * One request: what is said about it in the head, and a tab for each part.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').RequestDetails} RequestDetails
 * @typedef {import('../../requests.js').Tab} Tab
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { timeWithSeconds } from '../../format.js';
import { text } from '../../i18n/index.js';
import { copyWithSign } from '../../links.js';
import { curl, javascript, python } from './snippets.js';
import { tabContent } from './tabs.js';

const words = text.requests;
/** @type {readonly Tab[]} */
const TABS = ['overview', 'request', 'sent', 'prompt', 'response', 'events'];
const LANGUAGES = /** @type {const} */ ([
  ['curl', curl],
  ['Python', python],
  ['JavaScript', javascript],
]);

/** @param {App} app */
export function detail(app) {
  const { details, tab } = app.store.requests;
  const request = details.value;
  if (!request) return html`<p class="requests-choose">${words.choose}</p>`;
  const shown = tab.value;
  return html`
    <header class="detail-head">${head(app, request)}</header>
    <div class="detail-tabs" role="tablist" aria-label=${words.detail} @keydown=${(/** @type {KeyboardEvent} */ event) => moveTab(app, event)}>
      ${TABS.map(
        (name) => html`<button
          type="button"
          role="tab"
          id=${`tab-${name}`}
          aria-selected=${shown === name ? 'true' : 'false'}
          aria-controls="request-tab"
          tabindex=${shown === name ? 0 : -1}
          @click=${() => (tab.value = name)}
        >
          ${words.tabs[name]}
        </button>`,
      )}
    </div>
    <div class="detail-body" id="request-tab" role="tabpanel" aria-labelledby=${`tab-${shown}`} tabindex="0">
      ${tabContent(app, request, shown)}
    </div>
  `;
}

/** @param {App} app @param {RequestDetails} request */
function head({ store, actions }, request) {
  const { summary } = request;
  const base = store.requests.gatewayUrl.value;
  const body = request.body.text;
  const isJson = body !== null && !request.body.is_cut && isDocument(body);
  return html`
    <button type="button" class="icon-button detail-back" aria-label=${words.back} title=${words.back} @click=${() => actions.requests.open(null)}>
      ${icon('chevron-left')}${icon('x')}
    </button>
    <h2 class="detail-title">
      ${summary.model || words.noModel}<span class="detail-time">${timeWithSeconds(summary.at)}</span>
      ${summary.replay_of
        ? html`<button type="button" class="link-button" @click=${() => actions.requests.open(summary.replay_of)}>${words.original}</button>`
        : nothing}
    </h2>
    ${base && isJson
      ? html`<span class="detail-copy" role="group" aria-label=${words.copyAs}>
          <span aria-hidden="true">${words.copyAs}</span>
          ${LANGUAGES.map(
            ([name, write]) => html`<button
              type="button"
              class="small-button"
              title=${`${words.copyAs} ${name}`}
              @click=${(/** @type {Event} */ event) =>
                void copyWithSign(/** @type {HTMLElement} */ (event.currentTarget), write({ url: base + request.path, body }))}
            >
              <span class="label" aria-live="polite">${name}</span>
            </button>`,
          )}
        </span>`
      : nothing}
    <button
      type="button"
      class="small-button"
      title=${words.replayHint}
      ?disabled=${!request.can_replay || !base}
      @click=${() => void actions.requests.replay(summary.id)}
    >
      ${words.replay}
    </button>
  `;
}

/** @param {App} app @param {KeyboardEvent} event */
function moveTab({ store }, event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const tab = store.requests.tab;
  const next = TABS[(TABS.indexOf(tab.value) + step + TABS.length) % TABS.length] ?? 'overview';
  tab.value = next;
  document.getElementById(`tab-${next}`)?.focus();
}

/** @param {string} body */
function isDocument(body) {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
