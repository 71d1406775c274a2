/**
 * Clicks inside answers: links leave through the one opener that checks them, copy buttons copy.
 *
 * In the app's window a link is opened by the command `open_link`; in a browser tab the browser itself opens a new tab.
 *
 * @typedef {import('./page.js').App} App
 */
import { text } from './i18n/index.js';
import { isAllowedLink } from './markdown/parser.js';

const COPIED_MS = 1500;

/** @param {App} app */
export function installLinks({ store, actions }) {
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest('.copy-code');
    if (button) {
      void copyWithSign(/** @type {HTMLElement} */ (button), button.closest('.code-block')?.querySelector('code')?.textContent ?? '');
      return;
    }
    openLink(event, target);
  });
  // The middle button opens links, too.
  document.addEventListener('auxclick', (event) => openLink(event, event.target instanceof Element ? event.target : null));

  /** @param {MouseEvent} event @param {Element | null} target */
  function openLink(event, target) {
    const link = target?.closest('a[href]');
    if (!link) return;
    const url = link.getAttribute('href') ?? '';
    if (!isAllowedLink(url)) event.preventDefault();
    else if (store.nativeDialogs.value) {
      event.preventDefault();
      void actions.ui.openLink(url);
    }
  }
}

/** @param {string} content */
export const copyText = (content) => navigator.clipboard.writeText(content);

/** Copy, and say so on the button for a moment. @param {HTMLElement} button @param {string} content */
export async function copyWithSign(button, content) {
  await copyText(content);
  const label = button.querySelector('.label') ?? button;
  const before = label.textContent;
  if (before === text.copied) return;
  label.textContent = text.copied;
  setTimeout(() => (label.textContent = before), COPIED_MS);
}
