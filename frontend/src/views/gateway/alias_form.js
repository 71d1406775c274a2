/** The form of an alias, one for each kind. What the app refuses stands at its field, and what was typed stays. */
import { html, nothing } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';

/**
 * @typedef {import('./source.js').GatewaySource} GatewaySource
 * @typedef {import('./source.js').Values} Values
 * @typedef {keyof typeof words.fields} Field
 */

const words = text.gateway;
const help = /** @type {Record<string, string>} */ (words.help);
const units = /** @type {Record<string, string>} */ (words.units);
const placeholders = /** @type {Record<string, string>} */ (words.placeholders);

/** @param {GatewaySource} source */
export function aliasForm(source) {
  const form = source.form.value;
  if (!form) return nothing;
  const general = source.wrong.value[''];
  return keyed(
    form.id,
    html`<header>
        <h2 id="alias-form-title">${form.former ? words.editOf(form.former.name) : words.form[form.kind]}</h2>
        <button type="button" class="icon-button" aria-label=${words.close} @click=${() => source.close()}>${icon('x')}</button>
      </header>
      <form class="sheet-form" novalidate @submit=${(/** @type {SubmitEvent} */ event) => submit(source, event)}>
        ${PARTS[form.kind](source, form.values)} ${general ? html`<p class="field-wrong" role="alert">${general}</p>` : nothing}
        <div class="sheet-actions">
          <button type="button" class="small-button" @click=${() => source.close()}>${words.cancel}</button>
          <button type="submit" class="small-button is-primary">${words.save}</button>
        </div>
      </form>`,
  );
}

/** @param {GatewaySource} source @param {SubmitEvent} event */
function submit(source, event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const fields = /** @type {(HTMLInputElement | HTMLTextAreaElement)[]} */ ([...form.querySelectorAll('[name]')]);
  const values = Object.fromEntries(
    fields.map((field) => [field.name, field instanceof HTMLInputElement && field.type === 'checkbox' ? field.checked : field.value]),
  );
  void source.save(values).then(() => /** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid="true"]'))?.focus());
}

/** @type {Record<import('./source.js').Kind, (source: GatewaySource, values: Values) => unknown>} */
const PARTS = {
  user: (source, values) => {
    const wrong = Object.keys(source.wrong.value);
    const set = ['context_length', 'gpu_layers', 'threads', 'parallel', 'keep_alive_s', 'arguments', 'rpc'].some((name) => values[name] || wrong.includes(name));
    return html`${line(source, values, 'name')} ${line(source, values, 'file')} ${line(source, values, 'hub')}
      ${lines(source, values, 'system_prompt')} ${lines(source, values, 'defaults')}
      <details class="sheet-more" ?open=${set || values['embedding'] === true}>
        <summary>${words.more}</summary>
        <div class="sheet-numbers">
          ${number(source, values, 'context_length')} ${number(source, values, 'gpu_layers')} ${number(source, values, 'threads')}
          ${number(source, values, 'parallel')} ${number(source, values, 'keep_alive_s')}
        </div>
        ${check(values, 'embedding')} ${lines(source, values, 'arguments')} ${lines(source, values, 'rpc')}
      </details>`;
  },
  api: (source, values) => html`${line(source, values, 'name')} ${line(source, values, 'base_url')}
    ${line(source, values, 'key', 'password', source.form.value?.former ? words.help.keyKept : '')} ${lines(source, values, 'models')}
    ${line(source, values, 'prefix')} ${check(values, 'forward_all')}
    <details class="sheet-more" ?open=${Boolean(values['headers'] || values['strip'] || source.wrong.value['headers'])}>
      <summary>${words.more}</summary>
      ${lines(source, values, 'headers')} ${lines(source, values, 'strip')}
    </details>`,
  fallback: (source, values) => html`${line(source, values, 'name')} ${lines(source, values, 'targets')} ${targets(source)}
    <div class="sheet-numbers">${number(source, values, 'cooldown_s')}</div>`,
};

/** @param {GatewaySource} source @param {Values} values @param {Field} name @param {'text' | 'password'} [type] @param {string} [more] */
const line = (source, values, name, type = 'text', more = '') =>
  field(source, name, (about) => html`<input
    id="alias-${name}" name=${name} type=${type} autocomplete="off" spellcheck="false" ?autofocus=${name === 'name'}
    aria-describedby=${about.by} aria-invalid=${about.invalid} .value=${String(values[name] ?? '')} />`, more);

/** @param {GatewaySource} source @param {Values} values @param {Field} name */
const lines = (source, values, name) =>
  field(source, name, (about) => html`<textarea
    id="alias-${name}" name=${name} rows="2" spellcheck="false"
    aria-describedby=${about.by} aria-invalid=${about.invalid} .value=${String(values[name] ?? '')}></textarea>`);

/** @param {GatewaySource} source @param {Values} values @param {Field} name */
const number = (source, values, name) =>
  field(source, name, (about) => html`<span class="with-unit"><input
      id="alias-${name}" name=${name} type="text" inputmode="decimal" autocomplete="off" placeholder=${placeholders[name] ?? words.enginesChoice}
      aria-describedby=${about.by} aria-invalid=${about.invalid} .value=${String(values[name] ?? '')} />${units[name] ? html`<span class="unit">${units[name]}</span>` : nothing}</span>`);

/** @param {Values} values @param {Field} name */
const check = (values, name) =>
  html`<label class="sheet-check"><input name=${name} type="checkbox" .checked=${values[name] === true} /><span>${words.fields[name]}</span></label>`;

/** @param {GatewaySource} source @param {Field} name @param {(about: { by: string, invalid: 'true' | 'false' }) => unknown} control @param {string} [more] */
function field(source, name, control, more = '') {
  const wrong = source.wrong.value[name];
  const about = { by: `alias-${name}-help alias-${name}-wrong`, invalid: /** @type {'true' | 'false'} */ (wrong ? 'true' : 'false') };
  const note = [help[name], more].filter(Boolean).join(' ');
  return html`<div class="sheet-field">
    <label for="alias-${name}">${words.fields[name]}</label>
    ${control(about)} ${note ? html`<p class="help" id="alias-${name}-help">${note}</p>` : nothing}
    <p class="field-wrong" id="alias-${name}-wrong" role="alert">${wrong ?? nothing}</p>
  </div>`;
}

/** Names that there are, to be added to the targets. @param {GatewaySource} source */
function targets(source) {
  const own = source.form.value?.former?.name;
  const add = (/** @type {Event} */ event) => {
    const choice = /** @type {HTMLSelectElement} */ (event.target);
    const area = /** @type {HTMLTextAreaElement} */ (choice.closest('form')?.querySelector('[name="targets"]'));
    area.value = `${area.value.trim()}\n${choice.value}`.trim();
    choice.value = '';
  };
  return html`<label><span class="visually-hidden">${words.addTarget}</span>
    <select @change=${add}>
      <option value="">${words.addTarget}</option>
      ${source.app.store.models.value.filter(({ alias }) => alias !== own).map(({ alias }) => html`<option value=${alias}>${alias}</option>`)}
    </select></label>`;
}
