/**
 * The list of requests, and what stands in its place while there are none.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').RequestSummary} RequestSummary
 */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { duration, speed, timeWithSeconds } from '../../format.js';
import { text } from '../../i18n/index.js';
import { NO_FILTER } from '../../requests.js';
import { plainText } from './bodies.js';
import { curl } from './snippets.js';
import { tinyWaterfall } from './waterfall.js';

const words = text.requests;
const MARKS = { running: 'state-busy', finished: 'state-ready', failed: 'state-failed', gone: 'state-stopped' };

/** @param {App} app */
export function requestList(app) {
  const { list, ready, isFiltered, content, contentAllowed, compared } = app.store.requests;
  if (!ready.value) return nothing;
  return html`
    ${content.value ? nothing : contentOff(app, contentAllowed.value)}
    ${compared.value.length === 1 ? compareOther(app) : nothing}
    ${list.value.length
      ? html`<ul class="request-rows" aria-label=${words.list} @keydown=${moveByArrows}>
          ${repeat(
            list.value,
            (request) => request.id,
            (request) => row(app, request),
          )}
        </ul>`
      : isFiltered.value
        ? html`<div class="requests-note">
            <p>${words.nothingFits}</p>
            <button type="button" class="small-button" @click=${() => app.actions.requests.filterBy(NO_FILTER)}>${words.clearFilter}</button>
          </div>`
        : empty(app)}
  `;
}

/** @param {App} app @param {RequestSummary} request */
function row({ store, actions }, request) {
  const { openId, compared } = store.requests;
  const isOpen = openId.value === request.id;
  const isCompared = compared.value.includes(request.id);
  const name = request.model || words.noModel;
  return html`<li class=${`request-row ${isOpen ? 'is-open' : ''} ${isCompared ? 'is-compared' : ''}`}>
    <button
      type="button"
      class="request"
      aria-current=${isOpen ? 'true' : 'false'}
      @click=${() => {
        actions.requests.endComparison();
        actions.requests.open(request.id);
      }}
    >
      <span class=${`request-mark is-${request.outcome}`} title=${words.outcomes[request.outcome]}
        >${icon(MARKS[request.outcome])}<span class="visually-hidden">${words.outcomes[request.outcome]}</span></span
      >
      <span class="request-model">${name}</span>
      <span class="request-preview">${request.error ?? (request.preview || request.route)}</span>
      <span class="request-status">${request.status ?? ''}</span>
      <span class="request-duration">${request.duration_ms === null ? '' : duration(request.duration_ms)}</span>
      <span class="request-time">${timeWithSeconds(request.at)}</span>
      <span class="request-client">${request.replay_of ? words.isReplay : clientName(request)}</span>
      <span class="request-tokens">${tokens(request)}</span>
      ${tinyWaterfall(request)}
    </button>
    <label class="request-compare" title=${words.compare}>
      <input
        type="checkbox"
        aria-label=${words.compareOne(`${name}, ${timeWithSeconds(request.at)}`)}
        .checked=${isCompared}
        @change=${() => void actions.requests.compare(request.id)}
      />
    </label>
  </li>`;
}

/** The program, without its long version string. @param {RequestSummary} request */
export function clientName({ client, dialect }) {
  const program = dialect === 'chat' ? client : client.split(/[\s(]/)[0];
  return program || words.unknownClient;
}

/** @param {RequestSummary} request */
function tokens({ generated_tokens, tokens_per_second }) {
  if (generated_tokens === null) return '';
  const written = text.tokens(generated_tokens);
  return tokens_per_second === null ? written : `${written} · ${speed(tokens_per_second)}/s`;
}

/** @param {App} app @param {boolean} mayTurnOn */
const contentOff = (app, mayTurnOn) => html`<div class="requests-banner" role="status">
  <span>${mayTurnOn ? words.contentOff : words.contentForbidden}</span>
  ${mayTurnOn
    ? html`<button type="button" class="link-button" @click=${() => void app.actions.requests.keepContent(true)}>${words.turnOn}</button>`
    : nothing}
</div>`;

/** @param {App} app */
const compareOther = (app) => html`<div class="requests-banner" role="status">
  <span>${words.compareOther}</span>
  <button type="button" class="link-button" @click=${() => app.actions.requests.endComparison()}>${text.cancel}</button>
</div>`;

/** @param {App} app */
function empty({ store }) {
  const { enabled, gatewayUrl } = store.requests;
  const model = store.model.value?.alias ?? 'Demo';
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], stream: true });
  const command = gatewayUrl.value && curl({ url: `${gatewayUrl.value}/v1/chat/completions`, body });
  return html`<div class="empty">
      <div class="picture" aria-hidden="true">${icon('inbox')}</div>
      <h2>${words.emptyTitle}</h2>
      <p>${enabled.value ? words.emptyBody : words.emptyOff}</p>
    </div>
    ${enabled.value && command
      ? html`<div class="requests-try">
          <p>${words.emptyTry}</p>
          ${plainText(command)}
        </div>`
      : nothing}`;
}

/** @param {KeyboardEvent} event */
function moveByArrows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const rows = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('.request')];
  const at = rows.indexOf(/** @type {Element} */ (document.activeElement));
  if (!step || at < 0) return;
  event.preventDefault();
  /** @type {HTMLElement | undefined} */ (rows[at + step])?.focus();
}
