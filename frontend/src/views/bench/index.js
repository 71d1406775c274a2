/**
 * The bench view: how fast a model is here, and how fast it was.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('@preact/signals-core').ReadonlySignal<boolean>} Shown
 */
import { html, nothing, render } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { header } from './header.js';
import { progress } from './progress.js';
import { results } from './results.js';
import { BenchSource } from './source.js';

/** @param {HTMLElement} root @param {App} app @param {Shown} shown */
export function mountBench(root, app, shown) {
  render(
    html`<main class="page bench">
      <header class="page-header"></header>
      <div class="bench-body">
        <div class="bench-state" role="status"></div>
        <div class="bench-results"></div>
      </div>
    </main>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  const source = new BenchSource(app, shown);
  keep(part('.page-header'), () => header(source));
  keep(part('.bench-state'), () => progress(source));
  keep(part('.bench-results'), () => {
    const report = source.shown.value;
    if (report) return results(source, report);
    return source.known.value && !source.progress.value ? empty(source) : nothing;
  });
}

/** @param {BenchSource} source */
function empty(source) {
  const model = source.model.value;
  return html`<div class="empty">
    <div class="picture" aria-hidden="true">${icon('gauge')}</div>
    <h2>${text.bench.emptyTitle}</h2>
    <p>${text.bench.emptyBody}</p>
    ${model
      ? html`<div class="empty-buttons">
          <button type="button" class="button is-primary" @click=${() => void source.measure()}>${text.bench.measureModel(model.alias)}</button>
        </div>`
      : html`<p>${text.bench.noModels}</p>`}
  </div>`;
}
