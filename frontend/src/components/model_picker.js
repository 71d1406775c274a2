/**
 * The model picker: which model answers, what state each is in, loading and unloading, opening a file.
 *
 * @typedef {import('../page.js').App} App
 * @typedef {import('../types/bridge.js').ModelInfo} ModelInfo
 */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { count, fileSize } from '../format.js';
import { isLocal } from '../models.js';
import { text } from '../i18n/index.js';
import { icon } from './icon.js';
import { stateMark } from './state_mark.js';

const MENU = 'model-menu';
const PATH = 'model-path';

export const openModelPicker = () => document.getElementById(MENU)?.showPopover();
const closeModelPicker = () => document.getElementById(MENU)?.hidePopover();

/** @param {App} app */
export function modelPicker(app) {
  const { store, page } = app;
  const model = store.model.value;
  const state = model && isLocal(model) ? store.stateOf(model.alias) : null;
  const usable = store.models.value.filter((one) => !one.embedding);
  return html`
    <button type="button" class="picker-button" popovertarget=${MENU} aria-haspopup="dialog" title=${text.chooseModel}>
      ${state ? stateMark(state) : nothing}
      <span class="picker-name">${model ? model.alias : store.ready.value ? text.chooseModel : ''}</span>
      ${icon('chevron-down')}
    </button>
    <div id=${MENU} class="menu model-menu" popover="auto" role="dialog" aria-label=${text.models} @keydown=${moveByArrows}
      @toggle=${(/** @type {ToggleEvent} */ event) => event.newState === 'closed' && forgetPath(app)}>
      <ul class="model-list">
        ${repeat(usable, (one) => one.alias, (one) => modelRow(app, one, one.alias === model?.alias))}
      </ul>
      ${usable.length ? html`<hr />` : nothing}
      ${store.nativeDialogs.value
        ? html`<button type="button" class="menu-item" @click=${async () => (await app.actions.models.choose()) && closeModelPicker()}>
            ${icon('file-plus-2')}<span>${text.openModelFile}</span>
          </button>`
        : nothing}
      ${page.pathForm.value || !store.nativeDialogs.value ? pathForm(app) : html`<button type="button" class="menu-item" @click=${() => askForPath(app)}>
            ${icon('pencil')}<span>${text.openByPath}</span>
          </button>`}
    </div>
  `;
}

/** @param {App} app @param {ModelInfo} model @param {boolean} current */
function modelRow(app, model, current) {
  const { store, actions, page } = app;
  const local = isLocal(model);
  const state = store.stateOf(model.alias);
  const server = store.server(model.alias);
  const tag = model.is_demo ? text.demo : text.modelKind[model.kind];
  const loaded = state !== 'stopped' && state !== 'failed';
  const choose = () => {
    void actions.conversations.change({ model: model.alias });
    closeModelPicker();
  };
  return html`<li class="model-row ${current ? 'is-current' : ''}">
    <button type="button" class="menu-item" aria-current=${current ? 'true' : nothing} ?disabled=${model.missing} @click=${choose}>
      ${local ? stateMark(state) : html`<span class="state-mark">${icon(model.kind === 'api' ? 'cloud' : 'route')}</span>`}
      <span class="model-text">
        <span class="model-name">${model.alias}${tag ? html`<span class="tag">${tag}</span>` : nothing}</span>
        <span class="model-facts">${facts(model)}</span>
      </span>
    </button>
    ${model.missing || !local
      ? nothing
      : html`<button
          type="button"
          class="small-button"
          ?disabled=${state === 'stopping'}
          @click=${() => void (loaded ? actions.models.unload(model.alias) : actions.models.load(model.alias))}
        >
          ${loaded ? text.unload : text.load}
        </button>`}
    ${state === 'failed'
      ? html`<p class="model-failure">
          ${server?.reason ?? text.modelFailed(model.alias)}
          <button type="button" class="link-button" @click=${() => showLog(app, model.alias)}>${text.showLog}</button>
        </p>`
      : nothing}
  </li>`;

  /** @param {App} inApp @param {string} alias */
  async function showLog(inApp, alias) {
    closeModelPicker();
    page.log.value = (await inApp.actions.models.log(alias)) ?? null;
  }
}

/** @param {ModelInfo} model */
function facts(model) {
  if (!isLocal(model)) return text.modelKindNote[model.kind];
  if (model.missing) return text.missing;
  const context = model.context_length ?? model.trained_context;
  return [
    model.size_bytes === null ? null : fileSize(model.size_bytes),
    model.is_demo ? text.demoNote : model.architecture,
    model.sees ? text.sees : null,
    context === null || model.is_demo ? null : `${count(context)} tokens`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The field for a path comes into sight, and is where one writes. @param {App} app */
export function askForPath({ page }) {
  openModelPicker();
  page.pathForm.value = true;
  document.getElementById(PATH)?.focus();
}

/** @param {App} app */
function forgetPath({ page }) {
  page.pathForm.value = false;
  page.pathWrong.value = '';
}

/** @param {App} app */
function pathForm({ actions, page }) {
  const wrong = page.pathWrong.value;
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const input = /** @type {HTMLInputElement} */ (form.elements.namedItem('path'));
    const path = input.value.trim();
    if (!path) return;
    const refused = await actions.models.add(path);
    page.pathWrong.value = refused?.message ?? '';
    if (refused) return;
    form.reset();
    closeModelPicker();
  };
  return html`<form class="path-form" @submit=${submit}>
    <label for=${PATH}>${text.modelPath}</label>
    <div>
      <input id=${PATH} name="path" type="text" placeholder=${text.modelPathHint} autocomplete="off" spellcheck="false" aria-invalid=${wrong ? 'true' : 'false'} aria-describedby="model-path-wrong" />
      <button type="submit" class="small-button">${text.openModelPath}</button>
    </div>
    <p class="field-wrong" id="model-path-wrong" role="alert">${wrong || nothing}</p>
  </form>`;
}

/** @param {KeyboardEvent} event */
function moveByArrows(event) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const items = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('.menu-item:not(:disabled)')];
  const at = items.indexOf(/** @type {Element} */ (document.activeElement));
  const next = items.at((at + (event.key === 'ArrowDown' ? 1 : -1)) % items.length);
  if (next) {
    event.preventDefault();
    /** @type {HTMLElement} */ (next).focus();
  }
}
