/** What is in an attached file. */
import { html, nothing } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { smallSize } from '../format.js';
import { text } from '../i18n/index.js';
import { copyWithSign } from '../links.js';
import { icon } from './icon.js';

/** An element can be shown only once it is on the page, which it is not yet when lit-html hands it out. @param {Element | undefined} element */
const showModal = (element) =>
  queueMicrotask(() => {
    const dialog = /** @type {HTMLDialogElement | undefined} */ (element);
    if (dialog?.isConnected && !dialog.open) dialog.showModal();
  });

/** @param {string} content */
const copyButton = (content) =>
  html`<button type="button" class="small-button" @click=${(/** @type {Event} */ event) => void copyWithSign(/** @type {HTMLElement} */ (event.currentTarget), content)}>
    <span class="label" aria-live="polite">${text.copy}</span>
  </button>`;

/** @param {import('../page.js').App} app */
export function attachmentDialog({ page }) {
  const shown = page.attachment.value;
  if (!shown) return nothing;
  const { name, size } = shown.attachment;
  const content = shown.text;
  const close = () => (page.attachment.value = null);
  return html`<dialog class="log attachment-dialog" aria-label=${name} ${ref(showModal)} @close=${close}>
    <header>
      <h2><bdi>${name}</bdi></h2>
      <span class="attachment-size">${smallSize(size)}</span>
      ${content === null ? nothing : copyButton(content)}
      <button type="button" class="icon-button" aria-label=${text.close} title=${text.close} @click=${close}>${icon('x')}</button>
    </header>
    ${content === null ? html`<img class="attachment-picture" alt=${name} src=${shown.image ?? ''} />` : html`<pre tabindex="0">${content}</pre>`}
  </dialog>`;
}
