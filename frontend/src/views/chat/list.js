/**
 * The conversation list: search, groups by day, rename in place, delete with undo.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Conversation} Conversation
 * @typedef {import('../../types/bridge.js').SearchHit} SearchHit
 */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { titleField } from '../../components/title_field.js';
import { dateAndTime, dayGroup } from '../../format.js';
import { text } from '../../i18n/index.js';
import { focusComposer } from './composer.js';
import { forkSign } from './fork_mark.js';
import { trash, trashButton } from './trash.js';

const SEARCH_AFTER_MS = 150;

/** @type {number | undefined} */
let searchTimer;

/** @param {App} app */
export function list(app) {
  const { store, actions, page } = app;
  const query = page.query.value;
  if (page.trash.value) return trash(app, moveByArrows);
  return html`
    <div class="list-top">
      <label class="search">
        ${icon('search')}
        <input
          type="text"
          role="searchbox"
          aria-label=${text.searchLabel}
          placeholder=${text.search}
          autocomplete="off"
          spellcheck="false"
          .value=${query}
          @input=${(/** @type {InputEvent} */ event) => search(app, /** @type {HTMLInputElement} */ (event.target).value)}
          @keydown=${(/** @type {KeyboardEvent} */ event) => {
            if (event.key !== 'Escape' || !query) return;
            event.preventDefault();
            search(app, '');
          }}
        />
      </label>
      <button
        type="button"
        class="icon-button"
        aria-label=${text.newChat}
        title=${text.newChatHint}
        @click=${() => {
          actions.conversations.begin();
          page.drawer.value = false;
          focusComposer();
        }}
      >
        ${icon('plus')}
      </button>
    </div>
    <div class="list-body" @keydown=${moveByArrows}>
      ${query ? results(app, query) : store.conversations.value.length ? groups(app) : store.ready.value ? html`<p class="list-note">${text.noConversations}</p>` : nothing}
    </div>
    ${trashButton(app)}
  `;
}

/** @param {App} app @param {string} query */
function search({ actions, page }, query) {
  page.query.value = query;
  clearTimeout(searchTimer);
  if (!query.trim()) {
    page.hits.value = null;
    page.found.value = null;
    return;
  }
  searchTimer = setTimeout(async () => {
    const hits = await actions.conversations.search(query);
    if (page.query.value === query) page.hits.value = hits;
  }, SEARCH_AFTER_MS);
}

/** @param {App} app @param {string} query */
function results(app, query) {
  const hits = app.page.hits.value;
  if (hits === null) return nothing;
  if (!hits.length) return html`<p class="list-note">${text.nothingFound(query)}</p>`;
  return html`<ul>
    ${hits.map(
      (hit) => html`<li>
        <button type="button" class="conversation is-hit" @click=${() => void openHit(app, hit)}>
          <span class="conversation-title">${hit.title}</span>
          <span class="conversation-snippet">${marked(hit.snippet)}</span>
        </button>
      </li>`,
    )}
  </ul>`;
}

/** The found words stand between U+E000 and U+E001. @param {string} snippet */
function marked(snippet) {
  return snippet.split(/(\uE000[^\uE001]*\uE001?)/).map((part) => (part.startsWith('\uE000') ? html`<mark>${part.replace(/[\uE000\uE001]/g, '')}</mark>` : part));
}

/** @param {App} app */
function groups(app) {
  /** @type {Record<'today' | 'yesterday' | 'earlier', Conversation[]>} */
  const byDay = { today: [], yesterday: [], earlier: [] };
  for (const conversation of app.store.conversations.value) byDay[dayGroup(conversation.updated_at)].push(conversation);
  return (/** @type {const} */ (['today', 'yesterday', 'earlier'])).map((name) =>
    byDay[name].length
      ? html`<section aria-label=${text[name]}>
          <h2 class="list-group">${text[name]}</h2>
          <ul>
            ${repeat(byDay[name], (one) => one.id, (one) => row(app, one))}
          </ul>
        </section>`
      : nothing,
  );
}

/** @param {App} app @param {Conversation} conversation */
function row(app, conversation) {
  const { store, page } = app;
  const { id, title } = conversation;
  const renaming = page.renaming.value;
  if (renaming?.id === id && renaming.where === 'list') return html`<li class="conversation-row is-renaming">${titleField(app, conversation)}</li>`;
  const current = id === store.currentId.value;
  const rename = () => (page.renaming.value = { id, where: 'list' });
  return html`<li class="conversation-row ${current ? 'is-current' : ''}">
    <button
      type="button"
      class="conversation"
      data-conversation=${id}
      aria-current=${current ? 'page' : nothing}
      title=${`${title}\n${dateAndTime(conversation.updated_at)}`}
      @click=${() => openConversation(app, id)}
      @dblclick=${rename}
      @keydown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === 'F2') rename();
        else if (event.key === 'Delete') void remove(app, id);
      }}
    >
      <span class="conversation-title">${forkSign(conversation)}${title}</span>
    </button>
    <span class="row-actions">
      <button type="button" class="icon-button" aria-label=${text.rename} title=${text.rename} @click=${rename}>${icon('pencil')}</button>
      <button type="button" class="icon-button" aria-label=${text.delete} title=${text.delete} @click=${() => void remove(app, id)}>
        ${icon('trash-2')}
      </button>
    </span>
  </li>`;
}

/** What had focus has gone with its row, so it goes on to the next one. @param {App} app @param {string} id */
async function remove({ store, actions }, id) {
  const before = store.conversations.value;
  const at = before.findIndex((one) => one.id === id);
  const next = before[at + 1] ?? before[at - 1];
  await actions.conversations.remove(id);
  if (document.activeElement !== document.body) return;
  const row = next && document.querySelector(`.conversation[data-conversation="${CSS.escape(next.id)}"]`);
  if (row instanceof HTMLElement) row.focus();
  else focusComposer();
}

/** @param {App} app @param {SearchHit} hit */
async function openHit({ actions, page }, hit) {
  page.drawer.value = false;
  page.found.value = null;
  const words = [...hit.snippet.matchAll(/\uE000([^\uE001]*)/g)].map(([, word]) => word ?? '');
  await actions.conversations.openAt(hit.conversation_id, hit.message_id);
  page.found.value = { messageId: hit.message_id, words: [...new Set(words)] };
}

/** @param {App} app @param {string} id */
function openConversation({ store, actions, page }, id) {
  page.drawer.value = false;
  page.found.value = null;
  if (store.currentId.value !== id) void actions.conversations.open(id);
}

/** @param {KeyboardEvent} event */
function moveByArrows(event) {
  if ((event.key !== 'ArrowDown' && event.key !== 'ArrowUp') || !(event.target instanceof HTMLButtonElement)) return;
  const items = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('.conversation')];
  const from = items.indexOf(/** @type {Element} */ (event.target.closest('.conversation-row')?.querySelector('.conversation') ?? event.target));
  const next = items[from + (event.key === 'ArrowDown' ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (next).focus();
}
