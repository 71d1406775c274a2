/**
 * Keys that work everywhere: Ctrl/Cmd+N starts a chat, Ctrl/Cmd and a digit opens a view by its place in the rail, Esc stops
 * the answer that is being written.
 *
 * @typedef {import('./page.js').App} App
 */
import { CHAT } from './page.js';
import { focusComposer } from './views/chat/composer.js';
import { VIEWS } from './views/registry.js';

/** @param {App} app @param {string | null} [model] The one that is asked from now on. */
export function beginChat({ actions, page }, model = null) {
  page.view.value = CHAT;
  page.trash.value = false;
  actions.conversations.begin();
  if (model !== null) actions.ui.remember({ model });
  focusComposer();
}

/** @param {App} app */
export function installKeys(app) {
  const { store, actions, page } = app;
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'n') {
      event.preventDefault();
      beginChat(app);
    } else if (command && !event.shiftKey && !event.altKey && VIEWS[Number(event.key) - 1]) {
      event.preventDefault();
      page.view.value = VIEWS[Number(event.key) - 1]?.name ?? CHAT;
    } else if (event.key === 'Escape' && !event.isComposing) {
      // What lies on top closes first; dialogs and menus close themselves.
      if (document.querySelector('dialog[open], :popover-open')) return;
      if (page.drawer.value) page.drawer.value = false;
      else if (page.view.value === CHAT && store.answering.value) void actions.answers.stop();
    }
  });
}
