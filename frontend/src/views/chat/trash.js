/**
 * Recently deleted conversations, in the place of the list: each is restored with a click, and says how long it is kept.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Conversation} Conversation
 */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { daysAgo } from '../../format.js';
import { text } from '../../i18n/index.js';
import { focusComposer } from './composer.js';

const DAY_S = 86_400;

const focus = (/** @type {string} */ selector) => queueMicrotask(() => /** @type {HTMLElement | null} */ (document.querySelector(selector))?.focus());

/** The way to it, under the list. @param {App} app */
export function trashButton({ store, actions, page }) {
  if (!store.ready.value) return nothing;
  const open = () => {
    page.trash.value = true;
    focus('.trash-back');
    void actions.conversations.readTrash();
  };
  return html`<div class="list-foot">
    <button type="button" class="trash-open" @click=${open}>${icon('trash-2')}<span>${text.recentlyDeleted}</span></button>
  </div>`;
}

/** @param {App} app @param {(event: KeyboardEvent) => void} moveByArrows */
export function trash(app, moveByArrows) {
  const { page } = app;
  const close = () => {
    page.trash.value = false;
    focus('.trash-open');
  };
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape') return moveByArrows(event);
    event.preventDefault();
    close();
  };
  return html`<div class="trash" @keydown=${keydown}>
    <div class="list-top">
      <button type="button" class="icon-button trash-back" aria-label=${text.backToConversations} title=${text.backToConversations} @click=${close}>${icon('arrow-left')}</button>
      <h2 class="trash-title">${text.recentlyDeleted}</h2>
    </div>
    <div class="list-body">${rows(app)}</div>
  </div>`;
}

/** @param {App} app */
function rows(app) {
  const known = app.store.trash.value;
  if (!known) return nothing;
  const days = Math.round(known.kept_s / DAY_S);
  if (!known.conversations.length) return html`<p class="list-note">${text.trashEmpty(days)}</p>`;
  return html`<p class="list-note">${text.trashKept(days)}</p>
    <ul>
      ${repeat(known.conversations, (one) => one.id, (one) => row(app, one, known.kept_s))}
    </ul>`;
}

/** @param {App} app @param {Conversation} conversation @param {number} keptS */
function row({ actions, page }, conversation, keptS) {
  const deleted = conversation.deleted_at ?? 0;
  const left = Math.ceil((deleted + keptS - Date.now() / 1000) / DAY_S);
  const restore = async () => {
    if (!(await actions.conversations.takeBack(conversation))) return;
    page.trash.value = false;
    page.drawer.value = false;
    focusComposer();
  };
  return html`<li>
    <button type="button" class="conversation is-hit is-deleted" title=${text.restore(conversation.title)} @click=${restore}>
      <span class="visually-hidden">${text.restoring}</span>
      <span class="deleted-text">
        <span class="conversation-title">${conversation.title}</span>
        <span class="conversation-snippet">${text.trashTimes(daysAgo(deleted), left)}</span>
      </span>
      ${icon('undo-2')}
    </button>
  </li>`;
}
