/**
 * A number that may be left to the engine: label, one sentence of help, field.
 *
 * @typedef {{ min: number, max: number, step: number, help?: string }} Range
 */
import { html, nothing } from 'lit-html';
import { text } from '../i18n/index.js';

/**
 * @param {import('../page.js').Page} page
 * @param {keyof typeof text.fields} name
 * @param {number | null | undefined} value
 * @param {Range} range
 * @param {(value: number | null) => void} save
 */
export function numberField(page, name, value, range, save) {
  const [label, help] = text.fields[name];
  const change = (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    // What the browser cannot read as a number in range stays in the field, marked, and is not saved.
    if (!input.reportValidity()) return;
    save(input.value === '' ? null : Number(input.value));
  };
  return html`<div class="field">
    <label for=${`field-${name}`}>${label}</label>
    <span class="field-saved" role="status">${page.saved.value === name ? text.saved : nothing}</span>
    <input
      id=${`field-${name}`}
      type="number"
      inputmode="decimal"
      min=${range.min}
      max=${range.max}
      step=${range.step === 1 ? 1 : 'any'}
      placeholder=${text.automatic}
      aria-describedby=${`help-${name}`}
      .value=${value === null || value === undefined ? '' : String(value)}
      @change=${change}
    />
    <p class="help" id=${`help-${name}`}>${range.help ?? help}</p>
  </div>`;
}
