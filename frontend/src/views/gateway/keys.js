/** The keys that let programs in: made by name, shown once, revoked after a question. */
import { html, nothing } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { dateAndTime } from '../../format.js';
import { text } from '../../i18n/index.js';
import { copyButton } from './addresses.js';
import { confirmation } from './names.js';

/**
 * @typedef {import('./source.js').GatewaySource} GatewaySource
 * @typedef {import('../../types/bridge.js').ApiKey} ApiKey
 * @typedef {import('../../types/bridge.js').Scope} Scope
 */

const words = text.gateway;
const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$/;

/** @param {GatewaySource} source */
export function keys(source) {
  const { apiKeys, nativeDialogs } = source.app.store;
  const known = apiKeys.value;
  return html`<h2 id="gateway-keys">${words.keys}</h2>
    <p class="help">${words.keysBody}</p>
    ${known === null
      ? nothing
      : known.length
        ? html`<ul class="gateway-list">
            ${repeat(known, (key) => key.id, (key) => row(source, key))}
          </ul>`
        : html`<p class="gateway-empty">${words.noKeys}</p>`}
    ${nativeDialogs.value
      ? form(source)
      : html`<p class="help">${words.tabKeys}</p>
          <p class="gateway-command"><code>${words.keyCommand}</code>${copyButton(words.copy, words.keyCommand)}</p>`}`;
}

/** @param {GatewaySource} source @param {ApiKey} key */
function row(source, key) {
  const asked = `key:${key.name}`;
  return html`<li class="gateway-row">
    <span class="state-mark">${icon('key-round')}</span>
    <div class="gateway-what">
      <p><strong>${key.name}</strong> <code>${key.start}…</code></p>
      <p class="gateway-where">${facts(key).join(' · ')}</p>
    </div>
    ${source.confirming.value === asked
      ? confirmation(source, words.confirmRevoke(key.name), words.revoke, () => void source.app.actions.gateway.revokeKey(key.name))
      : html`<button type="button" class="small-button" aria-label=${words.revokeOf(key.name)} @click=${() => (source.confirming.value = asked)}>${words.revoke}</button>`}
  </li>`;
}

/** @param {ApiKey} key */
function facts(key) {
  const ends = key.expires_at;
  return [
    key.scopes.map((scope) => words.scopes[scope]).join(', '),
    key.requests_per_minute === null ? null : words.perMinute(key.requests_per_minute),
    key.streams === null ? null : words.atOnce(key.streams),
    key.last_used_at === null ? words.neverUsed : words.lastUsed(dateAndTime(key.last_used_at)),
    ends === null ? null : (ends * 1000 < Date.now() ? words.ended : words.ends)(dateAndTime(ends)),
  ].filter((fact) => fact !== null);
}

/** @param {GatewaySource} source */
function form(source) {
  const wrong = source.keyWrong.value;
  return keyed(
    source.keyForms.value,
    html`<form class="key-form" novalidate @submit=${(/** @type {SubmitEvent} */ event) => submit(source, event)}>
      <div class="sheet-field">
        <label for="key-name">${words.keyName}</label>
        <input id="key-name" name="name" type="text" maxlength="64" autocomplete="off" spellcheck="false" aria-describedby="key-name-help key-name-wrong" aria-invalid=${wrong['name'] ? 'true' : 'false'} />
        <p class="help" id="key-name-help">${words.keyNameHelp}</p>
        <p class="field-wrong" id="key-name-wrong" role="alert">${wrong['name'] ?? nothing}</p>
      </div>
      <fieldset class="key-scopes">
        <legend>${words.scope}</legend>
        ${/** @type {Scope[]} */ (Object.keys(words.scopes)).map(
          (scope) => html`<label class="sheet-check"><input type="checkbox" name=${scope} ?checked=${scope === 'inference'} /><span>${words.scopes[scope]}</span></label>`,
        )}
        <p class="field-wrong" role="alert">${wrong['scopes'] ?? nothing}</p>
      </fieldset>
      <div class="sheet-numbers">
        ${limit('requests_per_minute', words.requestsPerMinute, wrong)} ${limit('streams', words.streams, wrong)} ${limit('days', words.days, wrong)}
      </div>
      ${wrong[''] ? html`<p class="field-wrong" role="alert">${wrong['']}</p>` : nothing}
      <div class="sheet-actions"><button type="submit" class="small-button is-primary">${words.create}</button></div>
    </form>`,
  );
}

/** @param {string} name @param {string} label @param {import('./source.js').Wrong} wrong */
const limit = (name, label, wrong) => html`<div class="sheet-field">
  <label for="key-${name}">${label}</label>
  <input id="key-${name}" name=${name} type="text" inputmode="numeric" autocomplete="off" placeholder=${words.unlimited} aria-describedby="key-${name}-wrong" aria-invalid=${wrong[name] ? 'true' : 'false'} />
  <p class="field-wrong" id="key-${name}-wrong" role="alert">${wrong[name] ?? nothing}</p>
</div>`;

/** @param {GatewaySource} source @param {SubmitEvent} event */
function submit(source, event) {
  event.preventDefault();
  const element = /** @type {HTMLFormElement} */ (event.target);
  const given = new FormData(element);
  /** @type {import('./source.js').Wrong} */
  const wrong = {};
  const name = String(given.get('name') ?? '').trim();
  if (!NAME.test(name)) wrong['name'] = words.badKeyName;
  const scopes = /** @type {Scope[]} */ (Object.keys(words.scopes).filter((scope) => given.has(scope)));
  if (!scopes.length) wrong['scopes'] = words.noScope;
  const number = (/** @type {string} */ field) => {
    const written = String(given.get(field) ?? '').trim();
    if (!written) return null;
    if (!/^[1-9]\d{0,6}$/.test(written)) wrong[field] = words.outOfRange;
    return Number(written);
  };
  const terms = { name, scopes, requests_per_minute: number('requests_per_minute'), streams: number('streams'), days: number('days') };
  source.keyWrong.value = wrong;
  const atWrong = () => /** @type {HTMLElement | null} */ (element.querySelector('[aria-invalid="true"]'))?.focus();
  if (Object.keys(wrong).length) atWrong();
  else void source.createKey(terms).then(atWrong);
}

/** @param {GatewaySource} source */
export function madeKey(source) {
  const made = source.made.value;
  if (!made) return nothing;
  const close = () => (source.made.value = null);
  return html`<header>
      <h2 id="made-key-title">${words.made(made.key.name)}</h2>
      <button type="button" class="icon-button" aria-label=${words.close} @click=${close}>${icon('x')}</button>
    </header>
    <p class="help">${words.madeBody}</p>
    <p class="gateway-command"><code>${made.secret}</code>${copyButton(words.copyKey, made.secret)}</p>
    <div class="sheet-actions"><button type="button" class="small-button is-primary" @click=${close}>${words.done}</button></div>`;
}
