/** The names that programs may ask for: those of the user with where they lead, and the models that were found. */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { stateMark } from '../../components/state_mark.js';
import { clockTime, fileSize } from '../../format.js';
import { text } from '../../i18n/index.js';

/**
 * @typedef {import('./source.js').GatewaySource} GatewaySource
 * @typedef {import('./source.js').Alias} Alias
 * @typedef {import('./source.js').Kind} Kind
 */

const words = text.gateway;
const ICONS = { user: 'server', api: 'cloud', fallback: 'route' };

/** @param {GatewaySource} source */
export function names(source) {
  const aliases = source.app.store.aliases.value;
  return html`<h2 id="gateway-names">${words.names}</h2>
    <p class="help">${words.namesBody}</p>
    ${aliases === null
      ? nothing
      : aliases.length
        ? html`<ul class="gateway-list">
            ${repeat(aliases, (alias) => alias.name, (alias) => row(source, alias))}
          </ul>`
        : html`<p class="gateway-empty">${words.noNames}</p>`}
    <p class="gateway-buttons">
      ${/** @type {Kind[]} */ (Object.keys(words.add)).map(
        (kind) => html`<button type="button" class="small-button" @click=${() => source.open(kind)}>${words.add[kind]}</button>`,
      )}
    </p>
    ${found(source)}`;
}

/** @param {GatewaySource} source @param {Alias} alias */
function row(source, alias) {
  const { name, type } = alias;
  const { store, actions } = source.app;
  const asked = `alias:${name}`;
  const remove = () => (type === 'api' ? (source.confirming.value = asked) : void actions.gateway.removeAlias(alias));
  return html`<li class="gateway-row">
    ${type === 'user' ? stateMark(store.stateOf(name)) : html`<span class="state-mark">${icon(ICONS[type])}</span>`}
    <div class="gateway-what">
      <p><strong>${name}</strong><span class="tag">${words.kinds[type]}</span></p>
      <p class="gateway-where">${leadsTo(source, alias)}</p>
      ${type === 'api' ? keyOf(source, name) : nothing}
    </div>
    ${source.confirming.value === asked
      ? confirmation(source, words.confirmRemove(name), words.remove, () => void actions.gateway.removeAlias(alias))
      : html`<button type="button" class="icon-button" aria-label=${words.editOf(name)} title=${words.edit} @click=${() => source.open(type, alias)}>${icon('pencil')}</button>
          <button type="button" class="icon-button" aria-label=${words.removeOf(name)} title=${words.remove} @click=${remove}>${icon('trash-2')}</button>`}
  </li>`;
}

/** @param {GatewaySource} source @param {Alias} alias */
function leadsTo(source, alias) {
  const { app } = source;
  const models = app.store.models.value;
  switch (alias.type) {
    case 'user': {
      const missing = models.find((model) => model.alias === alias.name)?.missing;
      return html`${alias.file || alias.hub}${missing ? html` <span class="is-bad">${words.missing}</span>` : nothing}`;
    }
    case 'api': {
      const offered = alias.models.map((model) => `${alias.prefix}${model}`);
      return html`${alias.base_url}: ${[...offered, ...(alias.forward_all ? [offered.length ? words.everything : `${alias.prefix}…`] : [])].join(', ')}`;
    }
    case 'fallback':
      return alias.targets.map((target, index) => {
        const known = models.some((model) => model.alias === target) || reaches(app.store.aliases.value ?? [], target);
        return html`${index ? ' → ' : ''}${target}${known ? nothing : html` <span class="is-bad">(${words.unknownTarget})</span>`}${pauseOf(source, target)}`;
      });
  }
}

/** What is known of a remote server's key. @param {GatewaySource} source @param {string} name */
function keyOf({ app }, name) {
  const state = app.store.aliasConditions.value.keys[name] ?? 'none';
  if (state === 'none') return nothing;
  return html`<p class="gateway-where ${state === 'kept' ? '' : 'is-bad'}">${words.keyStates[state]}</p>`;
}

/** Until when a target is left alone, and why. @param {GatewaySource} source @param {string} target */
function pauseOf({ app }, target) {
  const pause = app.store.aliasConditions.value.paused.find(({ name }) => name === target);
  return pause ? html` <span class="is-bad">(${words.pausedUntil(clockTime(pause.until), pause.reason)})</span>` : nothing;
}

/** Whether a remote server takes a name. @param {Alias[]} aliases @param {string} name */
const reaches = (aliases, name) =>
  aliases.some((alias) => alias.type === 'api' && (alias.forward_all ? name.startsWith(alias.prefix) : alias.models.some((model) => `${alias.prefix}${model}` === name)));

/** The question before something is given up, in the place of its buttons. @param {GatewaySource} source @param {string} question @param {string} yes @param {() => void} run */
export function confirmation(source, question, yes, run) {
  const end = () => (source.confirming.value = null);
  return html`<span class="gateway-confirm" role="group" aria-label=${question} @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && end()}>
    <span>${question}</span>
    <button type="button" class="small-button is-danger" @click=${() => (end(), run())}>${yes}</button>
    <button type="button" class="small-button" @click=${end}>${words.cancel}</button>
  </span>`;
}

/** @param {GatewaySource} source */
function found({ app }) {
  const models = app.store.models.value.filter((model) => model.kind === 'model');
  if (!models.length) return nothing;
  return html`<details class="gateway-found">
    <summary>${words.found}: ${words.foundBody(models.length)}</summary>
    <ul class="gateway-list">
      ${models.map(
        (model) => html`<li class="gateway-row">
          ${stateMark(app.store.stateOf(model.alias))}
          <div class="gateway-what">
            <p><strong>${model.alias}</strong></p>
            <p class="gateway-where">${model.path}</p>
          </div>
          <span class="gateway-size">${model.size_bytes === null ? nothing : fileSize(model.size_bytes)}</span>
        </li>`,
      )}
    </ul>
  </details>`;
}
