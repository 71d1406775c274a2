/**
 * The frame that every view stands in: rail, view, hardware strip, and what floats above. Each part is drawn on its own,
 * so that a new reading of the processor does not touch the conversation.
 *
 * @typedef {import('./page.js').App} App
 */
import { effect } from '@preact/signals-core';
import { html, render } from 'lit-html';
import { attachmentDialog } from './components/attachment_dialog.js';
import { banner } from './components/banner.js';
import { icon } from './components/icon.js';
import { logDialog } from './components/log_dialog.js';
import { rail } from './components/rail.js';
import { failedPage, refusedPage } from './components/refused.js';
import { strip } from './components/strip.js';
import { toasts } from './components/toasts.js';
import { keep } from './render.js';
import { text } from './i18n/index.js';
import { mountViews } from './views/stage.js';

const LOST_AFTER_MS = 800;

/** @param {HTMLElement} root @param {App} app */
export function mountFrame(root, app) {
  render(
    html`<nav class="rail" aria-label=${text.views}></nav>
      <div class="stage"></div>
      <footer class="strip" aria-label=${text.hardware}></footer>
      <div class="banner-place" role="status"></div>
      <div class="toasts" role="status"></div>
      <div class="dialog-place"></div>
      <div class="attachment-place"></div>
      <div class="drop-hint" aria-hidden="true"><p>${icon('paperclip')}${text.dropFiles}</p></div>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  keep(part('.rail'), () => rail(app));
  keep(part('.strip'), () => strip(app));
  keep(part('.banner-place'), () => banner(app));
  keep(part('.toasts'), () => toasts(app));
  keep(part('.dialog-place'), () => logDialog(app));
  keep(part('.attachment-place'), () => attachmentDialog(app));
  mountViews(part('.stage'), app);
  followLink(root, app);
  followTheme(app);
}

/** @param {HTMLElement} root @param {'old-token' | 'no-token'} why */
export function mountRefused(root, why) {
  render(refusedPage(why), root);
}

/** @param {HTMLElement} root @param {string} why */
function mountFailed(root, why) {
  render(failedPage(why), root);
}

/** A short break heals unseen; a longer one is said. @param {HTMLElement} root @param {App} app */
function followLink(root, { store, page, actions }) {
  /** @type {number | undefined} */
  let timer;
  effect(() => {
    const state = store.link.value;
    if (state === 'refused') mountRefused(root, 'old-token');
    if (state === 'failed') mountFailed(root, actions.core.bridge.failure);
    if (state === 'lost') {
      timer ??= setTimeout(() => (page.banner.value = true), LOST_AFTER_MS);
    } else {
      clearTimeout(timer);
      timer = undefined;
      page.banner.value = false;
    }
  });
}

/** @param {App} app */
function followTheme({ store }) {
  effect(() => {
    const theme = store.ui.value.theme ?? 'system';
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
    else delete document.documentElement.dataset['theme'];
  });
}
