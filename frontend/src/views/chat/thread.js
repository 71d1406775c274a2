/**
 * The messages of the open conversation. Only the newest are drawn at first; scrolling up brings earlier ones, and the
 * text that is being read stays where it is.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect, signal } from '@preact/signals-core';
import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { inNextFrame } from '../../frames.js';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { focusComposer } from './composer.js';
import { emptyState } from './empty.js';
import { Follow } from './follow.js';
import { mountFound } from './found.js';
import { forkMark } from './fork_mark.js';
import { catchFocus } from './lost_focus.js';
import { messageItem } from './message.js';
import { closeMenu, messageMenu } from './message_menu.js';

const AT_FIRST = 40;
const MORE = 40;

/** @param {HTMLElement} root @param {App} app */
export function mountThread(root, app) {
  const { store, page } = app;
  render(
    html`<div class="thread" tabindex="-1"><div class="column"></div></div>
      <div class="jump-place"></div>
      <div class="menu-place"></div>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  const scroller = part('.thread');
  const column = part('.column');
  const follow = new Follow(scroller, column);
  const shown = signal(AT_FIRST);

  // Another conversation begins at its end.
  let current = store.currentId.value;
  effect(() => {
    if (store.currentId.value === current) return;
    current = store.currentId.value;
    shown.value = AT_FIRST;
    follow.toEnd();
  });
  // Who asks wants to see the answer.
  let asked = store.answeringHere.value?.id;
  effect(() => {
    const now = store.answeringHere.value?.id;
    if (now && now !== asked) follow.toEnd();
    asked = now;
  });

  // Who edits a message stays with it, for as long as it is shown.
  effect(() => {
    const { value: id } = page.editing;
    if (id === null) inNextFrame(() => follow.resume());
    else if (store.path.value.some((message) => message.id === id)) follow.leave();
    else {
      page.editing.value = null;
      catchFocus();
    }
  });

  const showMore = () => {
    const before = scroller.scrollHeight - scroller.scrollTop;
    shown.value += MORE;
    scroller.scrollTop = scroller.scrollHeight - before;
  };
  scroller.addEventListener(
    'scroll',
    () => {
      if (scroller.scrollTop < 200 && !follow.atEnd.peek() && shown.peek() < store.path.peek().length) showMore();
    },
    { passive: true },
  );

  keep(column, () => {
    if (!store.ready.value) return store.link.value === 'lost' ? nothing : html`<p class="thread-note">${text.connecting}</p>`;
    if (store.currentId.value === null) return emptyState(app);
    if (store.opening.value) return html`<p class="thread-note is-late">${text.loadingConversation}</p>`;
    const path = store.path.value;
    const from = Math.max(0, path.length - shown.value);
    return html`
      ${from ? html`<button type="button" class="small-button earlier" @click=${showMore}>${text.earlierMessages}</button>` : forkMark(app)}
      <ol class="messages" aria-label=${text.messages}>
        ${repeat(path.slice(from), (message) => message.id, (message) => messageItem(app, message))}
      </ol>
      ${unanswered(app)} ${answeringElsewhere(app)}
    `;
  });
  keep(part('.menu-place'), () => messageMenu(app));
  // A menu does not outlive its message.
  effect(() => {
    const { value: id } = page.menu;
    if (id === null || store.path.value.some((message) => message.id === id)) return;
    closeMenu();
    page.menu.value = null;
    catchFocus();
  });
  mountFound(app, column, (messageId) => {
    const path = store.path.peek();
    shown.value = Math.max(shown.peek(), path.length - path.findIndex(({ id }) => id === messageId));
    follow.leave();
  });
  keep(part('.jump-place'), () =>
    follow.atEnd.value || page.editing.value !== null || store.currentId.value === null
      ? nothing
      : html`<button type="button" class="jump" @click=${() => follow.toEnd()}>${icon('arrow-down')}${text.jumpToLatest}</button>`,
  );
}

/** What ends with a question can be answered: a fork at one, or what is left of a deleted answer. @param {App} app */
function unanswered({ store, actions }) {
  const last = store.path.value.at(-1);
  if (last?.role !== 'user') return nothing;
  const ask = () => {
    void actions.answers.retry(last.id);
    focusComposer();
  };
  return html`<button type="button" class="small-button unanswered" ?disabled=${!store.model.value || actions.answers.asking.value > 0} @click=${ask}>
    ${icon('refresh-cw')}${text.getAnswer}
  </button>`;
}

/** An answer that is being written where nobody sees it grow: it keeps the model busy until it ends or is stopped. @param {App} app */
function answeringElsewhere({ store, actions }) {
  const message = store.answering.value;
  if (!message || store.answeringHere.value) return nothing;
  const show = () => {
    void actions.conversations.selectBranch(message.id);
    focusComposer();
  };
  return html`<p class="progress" role="status">
    <span class="pulse" aria-hidden="true"></span>${text.answeringElsewhere}
    <button type="button" class="small-button" @click=${show}>${text.showVersion}</button>
  </p>`;
}
