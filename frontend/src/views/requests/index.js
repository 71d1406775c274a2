/**
 * The view of requests: filter, list, and beside it one request or the comparison of two.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect, untracked } from '@preact/signals-core';
import { html, render } from 'lit-html';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { comparison } from './compare.js';
import { detail } from './detail.js';
import { filterRow } from './filter.js';
import { requestList } from './list.js';

/** @param {HTMLElement} root @param {App} app @param {import('@preact/signals-core').ReadonlySignal<boolean>} shown */
export function mountRequests(root, app, shown) {
  const { store, actions } = app;
  render(
    html`<main class="requests">
      <header class="page-header"></header>
      <section class="requests-list" aria-label=${text.requests.title}></section>
      <section class="requests-detail" aria-label=${text.requests.detail}></section>
    </main>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  keep(part('.page-header'), () => filterRow(app));
  keep(part('.requests-list'), () => requestList(app));
  keep(part('.requests-detail'), () => (store.requests.compared.value.length === 2 ? comparison(app) : detail(app)));
  effect(() => {
    const { openId, compared } = store.requests;
    part('.requests').classList.toggle('has-detail', openId.value !== null || compared.value.length === 2);
  });
  effect(() => {
    const looking = shown.value;
    untracked(() => actions.requests.watch(looking));
  });
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    if (store.requests.compared.value.length) actions.requests.endComparison();
    else if (store.requests.openId.value !== null) close(root, app);
  });
}

/** Back to the row that was open. @param {HTMLElement} root @param {App} app */
function close(root, { actions }) {
  const row = /** @type {HTMLElement | null} */ (root.querySelector('.request[aria-current="true"]'));
  actions.requests.open(null);
  row?.focus();
}
