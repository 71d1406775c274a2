/** The last lines of an engine. */
import { html, nothing } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { text } from '../i18n/index.js';
import { icon } from './icon.js';

/** @param {Element | undefined} element */
const showModal = (element) => {
  const dialog = /** @type {HTMLDialogElement | undefined} */ (element);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const lines = dialog.querySelector('pre');
  if (lines) lines.scrollTop = lines.scrollHeight;
};

/** @param {import('../page.js').App} app */
export function logDialog({ page }) {
  const log = page.log.value;
  if (!log) return nothing;
  const close = () => (page.log.value = null);
  return html`<dialog class="log" aria-label=${text.logOf(log.alias)} ${ref(deferred(showModal))} @close=${close}>
    <header>
      <h2>${text.logOf(log.alias)}</h2>
      <button type="button" class="icon-button" aria-label=${text.close} @click=${close}>${icon('x')}</button>
    </header>
    <pre tabindex="0">${log.lines.length ? log.lines.join('\n') : text.logEmpty}</pre>
  </dialog>`;
}

/** An element can be shown only once it is on the page, which it is not yet when lit-html hands it out. */
const deferred = (/** @type {(element: Element | undefined) => void} */ run) => (/** @type {Element | undefined} */ element) =>
  queueMicrotask(() => run(element?.isConnected ? element : undefined));
