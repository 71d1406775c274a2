/**
 * What is done with a message now and then: one menu for all messages, beside the button that opened it. It stays
 * beside it when the thread moves, and goes when the button or the message does; what it is about stays the same while
 * it is open.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Message} Message
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';
import { below } from '../../tree.js';
import { focusComposer } from './composer.js';

const MENU = 'message-menu';
const GAP = 4;
/** Where in the window a button stands too low for a menu under it. */
const LOW = 0.6;

/** The button whose menu is open. @type {HTMLElement | null} */
let opener = null;

const menu = () => /** @type {HTMLElement | null} */ (document.getElementById(MENU));
const isOpen = () => menu()?.matches(':popover-open') ?? false;

/** Close the menu, if it is open. */
export function closeMenu() {
  if (isOpen()) menu()?.hidePopover();
}

/** The button for the menu of a message. @param {App} app @param {Message} message */
export function menuButton({ page }, message) {
  // The click itself opens or closes the menu, which is closed before if it belongs to another button.
  const prepare = (/** @type {Event} */ event) => {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    if (button === opener && isOpen()) return;
    closeMenu();
    opener = button;
    page.menu.value = message.id;
    place();
  };
  return html`<button type="button" class="icon-button" popovertarget=${MENU} aria-haspopup="menu" aria-label=${text.moreActions} title=${text.moreActions} @click=${prepare}>
    ${icon('ellipsis')}
  </button>`;
}

/** @param {App} app */
export function messageMenu(app) {
  const message = app.store.messages.value.get(app.page.menu.value ?? '');
  return html`<div id=${MENU} class="menu message-menu" popover="auto" role="menu" aria-label=${text.moreActions} @keydown=${keydown} @beforetoggle=${toggles} @toggle=${toggled}>
    ${message ? items(app, message) : nothing}
  </div>`;
}

/** @param {App} app @param {Message} message */
function items({ store, actions }, message) {
  const messages = store.messages.value;
  const gone = below(messages, message.id).size;
  const whole = gone === messages.size;
  const fork = async () => {
    if (await actions.conversations.fork(message.id)) focusComposer();
  };
  const remove = async () => {
    await actions.conversations.removeMessage(message.id);
    if (document.activeElement === document.body) focusComposer();
  };
  return html`${item('git-fork', text.fork, fork)}
  ${item('trash-2', whole ? text.deleteConversation : gone > 1 ? text.deleteFromHere : text.deleteMessage, remove, gone > 1 ? text.messageCount(gone) : '')}`;
}

/** @param {string} name @param {string} label @param {() => Promise<void>} run @param {string} [note] */
const item = (name, label, run, note = '') =>
  html`<button
    type="button"
    class="menu-item"
    role="menuitem"
    @click=${() => {
      closeMenu();
      void run();
    }}
  >
    ${icon(name)}<span>${label}</span>${note ? html`<span class="menu-note">${note}</span>` : nothing}
  </button>`;

/** Under the button, or above it where the window ends; from its edge towards the middle. */
function place() {
  const element = menu();
  const room = opener?.closest('.thread')?.getBoundingClientRect();
  if (!element || !opener || !room) return;
  const { left, right, top, bottom } = opener.getBoundingClientRect();
  if (bottom < room.top || top > room.bottom) {
    closeMenu();
    return;
  }
  const above = bottom > LOW * innerHeight;
  const before = right > innerWidth / 2;
  element.classList.toggle('is-above', above);
  element.classList.toggle('is-before', before);
  element.style.setProperty('--menu-side', `${before ? innerWidth - right : left}px`);
  element.style.setProperty('--menu-edge', `${GAP + (above ? innerHeight - top : bottom)}px`);
}

/** Before it opens or closes: afterwards, closing for one button and opening for the next would be told as one. @param {ToggleEvent} event */
function toggles({ newState }) {
  const open = newState === 'open';
  opener?.setAttribute('aria-expanded', String(open));
  // The thread moves under it, also by itself while an answer grows.
  if (open) addEventListener('scroll', place, { capture: true, passive: true });
  else removeEventListener('scroll', place, { capture: true });
}

/** @param {ToggleEvent} event */
function toggled({ newState }) {
  if (newState === 'open') menu()?.querySelector('button')?.focus();
}

/** @param {KeyboardEvent} event */
function keydown(event) {
  const all = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('button')];
  const at = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const places = /** @type {Record<string, number>} */ ({ ArrowDown: (at + 1) % all.length, ArrowUp: at - 1, Home: 0, End: -1 });
  const to = places[event.key];
  if (to !== undefined) all.at(to)?.focus();
  else if (event.key === 'Tab') {
    closeMenu();
    opener?.focus();
  } else return;
  event.preventDefault();
}
