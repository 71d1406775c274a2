/** What is to be measured, and the button that begins or ends it. */
import { html, nothing } from 'lit-html';
import { text } from '../../i18n/index.js';

/** @param {import('./source.js').BenchSource} source */
export function header(source) {
  const running = source.progress.value !== null;
  const models = source.models.value;
  const extents = /** @type {const} */ ([
    [true, text.bench.quick, text.bench.quickHint],
    [false, text.bench.full, text.bench.fullHint],
  ]);
  return html`<h1>${text.bench.title}</h1>
    <span class="page-space"></span>
    ${models.length ? controls() : nothing}`;

  function controls() {
    return html`<select aria-label=${text.bench.model} ?disabled=${running} @change=${(/** @type {Event} */ event) => (source.chosen.value = /** @type {HTMLSelectElement} */ (event.target).value)}>
      ${models.map((model) => html`<option value=${model.alias} .selected=${model.alias === source.model.value?.alias}>${model.alias}</option>`)}
    </select>
    <fieldset class="segments" ?disabled=${running}>
      <legend class="visually-hidden">${text.bench.extent}</legend>
      ${extents.map(
        ([quick, label, hint]) => html`<label class="segment" title=${hint}
          ><input type="radio" name="bench-extent" class="visually-hidden" .checked=${source.quick.value === quick} @change=${() => (source.quick.value = quick)} /><span>${label}</span></label
        >`,
      )}
    </fieldset>
    ${running
      ? html`<button type="button" class="small-button" @click=${() => void source.app.actions.bench.stop()}>${text.bench.stop}</button>`
      : html`<button type="button" class="small-button is-primary" @click=${() => void source.measure()}>${text.bench.measure}</button>`}`;
  }
}
