/** Starts the page: session, bridge, store, frame. */
import { Actions } from './actions/index.js';
import { watchAttention } from './attention.js';
import { Bridge, browserTransport } from './bridge.js';
import { installDrops } from './drops.js';
import { mountFrame, mountRefused } from './frame.js';
import { beginChat, installKeys } from './keys.js';
import { installLinks } from './links.js';
import { Page } from './page.js';
import { openSession } from './session.js';
import { Store } from './store.js';
import { focusComposer } from './views/chat/composer.js';

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
const { token, windowId } = openSession();

if (token === null) {
  mountRefused(root, 'no-token');
} else {
  const store = new Store();
  const page = new Page();
  const bridge = new Bridge({ origin: location.origin, token, windowId, transport: browserTransport() });
  const actions = new Actions(bridge, store, (message, action) => page.notify(message, action));
  const app = { store, actions, page };
  mountFrame(root, app);
  installKeys(app);
  installLinks(app);
  installDrops(app);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) bridge.hurry();
  });
  window.addEventListener('online', () => bridge.hurry());
  window.addEventListener('pagehide', () => actions.ui.save({ last: true }));
  watchAttention((looking) => actions.ui.look(looking));
  actions.onNewChat = (model) => beginChat(app, model);
  actions.start();
  // Whoever opens the page came to write.
  focusComposer();
}
