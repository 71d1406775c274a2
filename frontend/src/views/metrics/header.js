/** The range, the time under the cursor, and what can be saved. */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { timeWithSeconds } from '../../format.js';
import { text } from '../../i18n/index.js';

/** @typedef {import('./source.js').Range} Range */

/** @param {import('../../page.js').App} app @param {import('./source.js').MetricsSource} source @param {{ picture: () => Promise<Blob | null> }} charts */
export function header({ actions }, source, charts) {
  const range = source.range.value;
  const row = source.cursor.value;
  const at = row === null ? undefined : source.history.value?.times[row];
  const generations = source.history.value?.generations ?? [];
  const known = Boolean(source.history.value?.times.length);
  const save = async () => {
    const picture = await charts.picture();
    if (picture) await actions.metrics.savePicture(text.metrics.pictureName(range), picture);
  };
  return html`<h1>${text.metrics.title}</h1>
    <fieldset class="segments">
      <legend class="visually-hidden">${text.metrics.range}</legend>
      ${/** @type {Range[]} */ (['5m', '1h', '24h']).map(
        (one) => html`<label class="segment"
          ><input type="radio" name="metrics-range" class="visually-hidden" .checked=${one === range} @change=${() => (source.range.value = one)} /><span>${text.metrics.ranges[one]}</span></label
        >`,
      )}
    </fieldset>
    <label class="check"><input type="checkbox" .checked=${source.cores.value} @change=${() => (source.cores.value = !source.cores.value)} />${text.metrics.eachCore}</label>
    ${generations.length ? html`<span class="metrics-key"><span class="swatch is-band"></span>${text.metrics.answering}</span>` : nothing}
    <span class="metrics-time">${at === undefined ? nothing : [timeWithSeconds(at), ...answered(generations, at)].join(' · ')}</span>
    <button type="button" class="icon-button" aria-label=${text.metrics.saveTable} title=${text.metrics.saveTable} ?disabled=${!known} @click=${() => void actions.metrics.exportTable(range)}>
      ${icon('table-2')}
    </button>
    <button type="button" class="icon-button" aria-label=${text.metrics.savePicture} title=${text.metrics.savePicture} ?disabled=${!known} @click=${() => void save()}>${icon('image-down')}</button>`;
}

/** Who was answering then. @param {import('./history.js').Generation[]} generations @param {number} at */
const answered = (generations, at) => [...new Set(generations.filter((one) => one.start <= at && at <= one.end).map((one) => one.alias))];
