/** Short notices at the bottom, with at most one thing to do. They go after a while, unless somebody is at them. */
import { html } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { ref } from 'lit-html/directives/ref.js';
import { text } from '../i18n/index.js';
import { icon } from './icon.js';

/**
 * @typedef {import('../page.js').App} App
 * @typedef {import('../page.js').Toast} Toast
 */

/** Where focus was before it came to the notices: it goes back with the notice that has it. @type {HTMLElement | null} */
let cameFrom = null;

/** @param {FocusEvent} event */
const arrive = ({ relatedTarget }) => {
  if (relatedTarget instanceof HTMLElement && !relatedTarget.closest('.toast')) cameFrom = relatedTarget;
};

const goBack = () => {
  if (document.activeElement !== document.body) return;
  cameFrom?.focus();
  cameFrom = null;
};

/** Some reasons are also read inside of other sentences, and begin small. A quoted name stays as it is. @param {string} message */
const sentence = (message) => message.charAt(0).toUpperCase() + message.slice(1);

/** @param {Element | undefined} element */
const followGone = (element) => {
  if (!element) queueMicrotask(goBack);
};

/** @param {App} app */
export const toasts = ({ page }) =>
  repeat(
    page.toasts.value,
    (toast) => toast.id,
    (toast) => notice(page, toast),
  );

/** @param {App['page']} page @param {Toast} toast */
function notice(page, { id, message, action }) {
  const hold = () => page.hold(id);
  const pointerLeft = (/** @type {PointerEvent} */ event) => {
    if (!(/** @type {HTMLElement} */ (event.currentTarget).contains(document.activeElement))) page.letGo(id);
  };
  const focusLeft = (/** @type {FocusEvent} */ event) => {
    const element = /** @type {HTMLElement} */ (event.currentTarget);
    // A notice that goes loses focus too, and so does a window that another one covers: neither is left by anybody.
    queueMicrotask(() => {
      const next = /** @type {Element | null} */ (event.relatedTarget) ?? document.activeElement;
      if (!element.isConnected || element.contains(next)) return;
      if (!next?.closest('.toast')) cameFrom = null;
      if (!element.matches(':hover')) page.letGo(id);
    });
  };
  const run = () => {
    page.dismiss(id);
    action?.run();
  };
  return html`<div
    class="toast"
    ${ref(followGone)}
    @focusin=${(/** @type {FocusEvent} */ event) => (arrive(event), hold())}
    @focusout=${focusLeft}
    @pointerenter=${hold}
    @pointerleave=${pointerLeft}
  >
    <span>${sentence(message)}</span>
    ${action && html`<button type="button" class="toast-action" @click=${run}>${action.label}</button>`}
    <button type="button" class="icon-button" aria-label=${text.dismiss} @click=${() => page.dismiss(id)}>${icon('x')}</button>
  </div>`;
}
