/** Short notices at the bottom, with at most one thing to do. */
import { html } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { text } from '../i18n/index.js';
import { icon } from './icon.js';

/** Where focus was before it came to a notice: notices leave, and focus goes back. @type {HTMLElement | null} */
let cameFrom = null;

/** @param {FocusEvent} event */
const arrive = ({ relatedTarget }) => {
  if (relatedTarget instanceof HTMLElement && !relatedTarget.closest('.toast')) cameFrom = relatedTarget;
};

const goBack = () => {
  if (document.activeElement === document.body && cameFrom?.isConnected) cameFrom.focus();
};

/** Some reasons are also read inside of other sentences, and begin small. A quoted name stays as it is. @param {string} message */
const sentence = (message) => message.charAt(0).toUpperCase() + message.slice(1);

/** @param {import('../page.js').App} app */
export const toasts = ({ page }) =>
  repeat(
    page.toasts.value,
    (toast) => toast.id,
    (toast) => html`<div class="toast" @focusin=${arrive}>
      <span>${sentence(toast.message)}</span>
      ${toast.action &&
      html`<button
        type="button"
        class="toast-action"
        @click=${() => {
          page.dismiss(toast.id);
          toast.action?.run();
          goBack();
        }}
      >
        ${toast.action.label}
      </button>`}
      <button type="button" class="icon-button" aria-label=${text.dismiss} @click=${() => (page.dismiss(toast.id), goBack())}>
        ${icon('x')}
      </button>
    </div>`,
  );
