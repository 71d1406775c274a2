/**
 * One setting: what it is for, its value, where that came from, and the way back to the default. It is written when the
 * field is left; what the app refuses is said, and the field shows again what counts.
 *
 * @typedef {import('../../types/bridge.js').Setting} Setting
 * @typedef {Setting['value']} Value
 */
import { html, nothing } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { text } from '../../i18n/index.js';

/** @param {import('./source.js').SettingsSource} source @param {Setting} setting */
export function field(source, setting) {
  const id = `setting-${setting.path}`;
  return html`<div class="setting is-${setting.kind}">
    <label for=${id}>${setting.label}</label>
    <div class="setting-value">
      <div class="setting-control with-unit">${control(source, setting, id)}${unit(setting)}</div>
      <p class="setting-from">${origin(source, setting)}</p>
    </div>
    <p class="help" id="${id}-help">${setting.help}</p>
    ${setting.fixed === null ? nothing : html`<p class="help">${setting.fixed}</p>`}
    ${setting.running === null ? nothing : html`<p class="setting-running">${text.preferences.until(shown(setting.running))}</p>`}
  </div>`;
}

/** @param {import('./source.js').SettingsSource} source @param {Setting} setting @param {string} id */
function control(source, setting, id) {
  const described = `${id}-help`;
  const fixed = setting.fixed !== null;
  const save = (/** @type {HTMLInputElement | HTMLTextAreaElement} */ input, /** @type {Value} */ value) => void write(source, setting, input, value);
  const input = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target);
  switch (setting.kind) {
    case 'switch':
      return html`<input
        id=${id}
        type="checkbox"
        role="switch"
        class="switch"
        aria-describedby=${described}
        ?disabled=${fixed}
        .checked=${live(setting.value === true)}
        @change=${(/** @type {Event} */ event) => save(input(event), input(event).checked)}
      />`;
    case 'integer':
    case 'number':
      return html`<input
        id=${id}
        type="number"
        inputmode="decimal"
        required
        min=${setting.least ?? nothing}
        max=${setting.most ?? nothing}
        step=${setting.kind === 'integer' ? 1 : 'any'}
        aria-describedby=${described}
        ?disabled=${fixed}
        .value=${live(String(setting.value))}
        @change=${(/** @type {Event} */ event) => input(event).reportValidity() && save(input(event), Number(input(event).value))}
      />`;
    case 'lines':
      return html`<textarea
        id=${id}
        rows=${Math.max(2, lines(setting.value).length)}
        spellcheck="false"
        placeholder=${text.preferences.linesHint}
        aria-describedby=${described}
        ?disabled=${fixed}
        .value=${live(lines(setting.value).join('\n'))}
        @change=${(/** @type {Event} */ event) => save(input(event), input(event).value.split('\n').map((line) => line.trim()).filter(Boolean))}
      ></textarea>`;
    default:
      return html`<input
        id=${id}
        type="text"
        spellcheck="false"
        aria-describedby=${described}
        ?disabled=${fixed}
        .value=${live(String(setting.value))}
        @change=${(/** @type {Event} */ event) => save(input(event), input(event).value.trim())}
      />`;
  }
}

/** @param {import('./source.js').SettingsSource} source @param {Setting} setting @param {HTMLInputElement | HTMLTextAreaElement} input @param {Value} value */
async function write(source, setting, input, value) {
  if (await source.app.actions.settings.change(setting.path, value)) return;
  if (setting.kind === 'switch') /** @type {HTMLInputElement} */ (input).checked = setting.value === true;
  else input.value = setting.kind === 'lines' ? lines(setting.value).join('\n') : String(setting.value);
}

/** @param {import('./source.js').SettingsSource} source @param {Setting} setting */
function origin(source, setting) {
  const words = text.preferences;
  const place = setting.source === 'environment' ? ` (${setting.place})` : '';
  const standard = shown(setting.default);
  return html`<span class="setting-source is-${setting.source.replace(' ', '-')}">${words.sources[setting.source]}${place}</span>
    ${setting.source === 'file' && setting.fixed === null
      ? html`<button
          type="button"
          class="link-button"
          aria-label=${words.useDefaultOf(setting.label, standard)}
          @click=${() => void source.app.actions.settings.change(setting.path, null)}
        >
          ${words.useDefault}: ${standard}
        </button>`
      : nothing}`;
}

/** @param {Setting} setting */
function unit({ path, kind }) {
  if (kind !== 'integer' && kind !== 'number') return nothing;
  const word = text.preferences.units[path.slice(path.lastIndexOf('_') + 1)];
  return word ? html`<span class="unit">${word}</span>` : nothing;
}

/** A value in words. @param {Value} value */
function shown(value) {
  if (typeof value === 'boolean') return value ? text.preferences.on : text.preferences.off;
  return (Array.isArray(value) ? value.join(', ') : String(value)) || text.preferences.none;
}

/** @param {Value} value @returns {string[]} */
const lines = (value) => (Array.isArray(value) ? value : []);
