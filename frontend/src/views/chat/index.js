/**
 * The chat view: list, header, thread, composer, side panel.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect } from '@preact/signals-core';
import { html, render } from 'lit-html';
import '../../components/attached_picture.js';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { composer } from './composer.js';
import { header } from './header.js';
import { list } from './list.js';
import { panel } from './panel.js';
import { mountSpeech } from './speech.js';
import { mountThread } from './thread.js';

/** @param {HTMLElement} root @param {App} app */
export function mountChat(root, app) {
  render(
    html`<aside class="list" aria-label=${text.conversations}></aside>
      <div class="list-scrim"></div>
      <main class="chat">
        <header class="chat-header"></header>
        <div class="thread-place"></div>
        <div class="composer-place"></div>
      </main>
      <div class="panel-place"></div>
      <div class="speech visually-hidden" aria-live="polite"></div>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  keep(part('.list'), () => list(app));
  keep(part('.chat-header'), () => header(app));
  keep(part('.composer-place'), () => composer(app));
  keep(part('.panel-place'), () => panel(app));
  const place = part('.composer-place');
  new ResizeObserver(() => document.documentElement.style.setProperty('--composer', `${place.offsetHeight}px`)).observe(place); // for the notices above it
  mountThread(part('.thread-place'), app);
  mountSpeech(part('.speech'), app);

  part('.list-scrim').addEventListener('click', () => (app.page.drawer.value = false));
  effect(() => {
    root.classList.toggle('list-folded', app.store.ui.value.list_folded ?? false);
    root.classList.toggle('drawer-open', app.page.drawer.value);
  });
}
