/**
 * Keys that work everywhere: Ctrl/Cmd+N starts a chat, Esc stops the answer that is being written.
 *
 * @typedef {import('./page.js').App} App
 */
import { focusComposer } from './views/chat/composer.js';

/** @param {App} app */
export function installKeys({ store, actions, page }) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'n') {
      event.preventDefault();
      actions.conversations.begin();
      focusComposer();
    } else if (event.key === 'Escape' && !event.isComposing) {
      // What lies on top closes first; dialogs and menus close themselves.
      if (document.querySelector('dialog[open], :popover-open')) return;
      if (page.drawer.value) page.drawer.value = false;
      else if (store.answering.value) void actions.answers.stop();
    }
  });
}
