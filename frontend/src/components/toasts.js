/** Short notices at the bottom, with at most one thing to do. */
import { html } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { text } from '../i18n/index.js';
import { icon } from './icon.js';

/** @param {import('../page.js').App} app */
export const toasts = ({ page }) =>
  repeat(
    page.toasts.value,
    (toast) => toast.id,
    (toast) => html`<div class="toast">
      <span>${toast.message}</span>
      ${toast.action &&
      html`<button
        type="button"
        class="toast-action"
        @click=${() => {
          page.dismiss(toast.id);
          toast.action?.run();
        }}
      >
        ${toast.action.label}
      </button>`}
      <button type="button" class="icon-button" aria-label=${text.dismiss} @click=${() => page.dismiss(toast.id)}>${icon('x')}</button>
    </div>`,
  );
