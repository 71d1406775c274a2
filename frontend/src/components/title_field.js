/**
 * A title being written: Enter or leaving saves it, Esc leaves it as it was.
 *
 * @typedef {import('../page.js').App} App
 */
import { html } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { text } from '../i18n/index.js';

/** @param {Element | undefined} element */
const select = (element) => {
  const input = /** @type {HTMLInputElement | undefined} */ (element);
  queueMicrotask(() => {
    if (input && document.activeElement !== input) {
      input.focus();
      input.select();
    }
  });
};

/** @param {'list' | 'header'} where @param {string} id @returns {HTMLElement | null} */
const titleOf = (where, id) =>
  document.querySelector(where === 'header' ? '.chat-title button' : `.conversation[data-conversation="${CSS.escape(id)}"]`);

/** @param {App} app @param {{ id: string, title: string }} conversation */
export function titleField({ actions, page }, { id, title }) {
  const finish = (/** @type {Event} */ event, /** @type {boolean} */ save) => {
    if (page.renaming.value?.id !== id) return;
    const value = /** @type {HTMLInputElement} */ (event.target).value.trim();
    const { where } = page.renaming.value;
    page.renaming.value = null;
    // Who finishes with a key goes on from where the title stands; who clicks elsewhere is there already.
    if (event.type === 'keydown') titleOf(where, id)?.focus();
    if (save && value && value !== title) void actions.conversations.rename(id, value);
  };
  return html`<input
    class="title-field"
    type="text"
    maxlength="200"
    aria-label=${text.title}
    autocomplete="off"
    .value=${title}
    ${ref(select)}
    @blur=${(/** @type {Event} */ event) => finish(event, true)}
    @keydown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
      event.preventDefault();
      finish(event, event.key === 'Enter');
    }}
  />`;
}
