/**
 * The metrics view: what the machine does and did, in charts with one cursor.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('@preact/signals-core').ReadonlySignal<boolean>} Shown
 */
import { html, render } from 'lit-html';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { mountCharts } from './charts.js';
import { header } from './header.js';
import { MetricsSource } from './source.js';

/** @param {HTMLElement} root @param {App} app @param {Shown} shown */
export function mountMetrics(root, app, shown) {
  render(
    html`<main class="metrics">
      <header class="page-header"></header>
      <div class="metrics-charts" role="group" tabindex="0" aria-label=${text.metrics.charts}></div>
      <p class="metrics-speech visually-hidden" role="status"></p>
    </main>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  const source = new MetricsSource(app, shown);
  const charts = mountCharts(part('.metrics-charts'), part('.metrics-speech'), app, source);
  keep(part('.page-header'), () => header(app, source, charts));
}
