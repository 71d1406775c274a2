/**
 * The side panel: how this chat is answered and how the model is run. It slides over and moves nothing. A field is saved
 * when it is left; an empty one leaves the choice to the engine.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Sampling} Sampling
 * @typedef {import('../../types/bridge.js').ModelInfo} ModelInfo
 */
import { html, nothing } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { icon } from '../../components/icon.js';
import { numberField } from '../../components/number_field.js';
import { text } from '../../i18n/index.js';
import { isLocal } from '../../models.js';

/** @type {Record<keyof Sampling, import('../../components/number_field.js').Range>} */
const SAMPLING = {
  temperature: { min: 0, max: 2, step: 0.05 },
  top_p: { min: 0, max: 1, step: 0.01 },
  top_k: { min: 0, max: 1000, step: 1 },
  min_p: { min: 0, max: 1, step: 0.01 },
  repeat_penalty: { min: 0, max: 3, step: 0.01 },
  presence_penalty: { min: -2, max: 2, step: 0.05 },
  frequency_penalty: { min: -2, max: 2, step: 0.05 },
  max_tokens: { min: 1, max: 1_000_000, step: 1 },
  seed: { min: 0, max: 4_294_967_295, step: 1 },
};

/** @type {Record<'context_length' | 'gpu_layers' | 'threads' | 'keep_alive_s', import('../../components/number_field.js').Range>} */
const MODEL = {
  context_length: { min: 16, max: 16_777_216, step: 1 },
  gpu_layers: { min: -1, max: 10_000, step: 1 },
  threads: { min: 1, max: 1024, step: 1 },
  keep_alive_s: { min: -1, max: 31_536_000, step: 1 },
};

/** @param {Element | undefined} element */
const showModal = (element) => queueMicrotask(() => {
  const dialog = /** @type {HTMLDialogElement | undefined} */ (element);
  if (dialog?.isConnected && !dialog.open) dialog.showModal();
});

/** @param {App} app */
export function panel(app) {
  const { store, page } = app;
  if (!page.panel.value) return nothing;
  const model = store.model.value;
  const close = () => (page.panel.value = false);
  return html`<dialog
    class="panel"
    aria-label=${text.settings}
    ${ref(showModal)}
    @close=${close}
    @click=${(/** @type {MouseEvent} */ event) => event.target === event.currentTarget && close()}
  >
    <div class="panel-body">
      <header>
        <h2>${text.settings}</h2>
        <button type="button" class="icon-button" aria-label=${text.close} @click=${close}>${icon('x')}</button>
      </header>
      ${chatSection(app)} ${model && isLocal(model) ? modelSection(app, model) : nothing}
    </div>
  </dialog>`;
}

/** @param {App} app */
function chatSection({ store, actions, page }) {
  const conversation = store.conversation.value;
  const prompt = conversation ? conversation.system_prompt : store.draft.value.systemPrompt;
  const sampling = conversation ? conversation.sampling : store.draft.value.sampling;
  const save = (/** @type {string} */ name, /** @type {Sampling} */ change) => {
    page.saved.value = name;
    void actions.conversations.changeSampling(change);
  };
  const nothingSet = Object.fromEntries(fields(SAMPLING).map(([name]) => [name, null]));
  const any = Object.values(sampling).some((value) => value !== null && value !== undefined);
  return html`<section aria-labelledby="panel-chat">
    <h3 id="panel-chat">${text.thisChat}</h3>
    <div class="field is-wide">
      <label for="system-prompt">${text.systemPrompt}</label>
      <p class="help" id="system-prompt-help">${text.systemPromptHelp}</p>
      <textarea
        id="system-prompt"
        rows="4"
        aria-describedby="system-prompt-help"
        .value=${prompt}
        @change=${(/** @type {Event} */ event) =>
          void actions.conversations.change({ system_prompt: /** @type {HTMLTextAreaElement} */ (event.target).value })}
      ></textarea>
    </div>
    <h4>${text.sampling}</h4>
    <p class="help">${text.samplingHelp}</p>
    ${fields(SAMPLING).map(([name, range]) => numberField(page, name, sampling[name], range, (value) => save(name, { [name]: value })))}
    ${any
      ? html`<button type="button" class="link-button" @click=${() => void actions.conversations.changeSampling(nothingSet)}>${text.resetAll}</button>`
      : nothing}
  </section>`;
}

/** @param {App} app @param {ModelInfo} model */
function modelSection({ actions, page }, model) {
  return html`<section aria-labelledby="panel-model">
    <h3 id="panel-model">${text.modelSettings} <span class="panel-model-name">${model.alias}</span></h3>
    <p class="help">${text.modelSettingsHelp(model.alias)}</p>
    ${fields(MODEL).map(([name, range]) =>
      numberField(page, name, model[name], name === 'gpu_layers' && model.layers ? { ...range, help: text.gpuLayersOf(model.layers) } : range, (value) => {
        page.saved.value = name;
        void actions.models.change(model.alias, { [name]: value });
      }),
    )}
  </section>`;
}

/** @template {string} Name @template Value @param {Record<Name, Value>} record @returns {[Name, Value][]} */
const fields = (record) => /** @type {[Name, Value][]} */ (Object.entries(record));
