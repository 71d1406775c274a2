/**
 * The models that are known and do not run.
 *
 * @typedef {import('../../page.js').App} App
 */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { stateMark } from '../../components/state_mark.js';
import { fileSize } from '../../format.js';
import { text } from '../../i18n/index.js';
import { isLocal } from '../../models.js';

/** @param {App} app */
export function restingModels({ store, actions }) {
  const runs = new Set(store.servers.value.filter((server) => server.phase !== 'stopped').map((server) => server.alias));
  const resting = store.models.value.filter((model) => !runs.has(model.alias) && isLocal(model));
  if (!resting.length) return nothing;
  return html`<section class="resting">
    <h2>${text.servers.resting}</h2>
    <ul>
      ${repeat(resting, (model) => model.alias, (model) => {
        const waiting = store.server(model.alias)?.waiting ?? 0;
        return html`<li>
          ${stateMark('stopped')}
          <span class="model-text">
            <span class="model-name">${model.alias}${model.is_demo ? html`<span class="tag">${text.demo}</span>` : nothing}</span>
            <span class="model-facts">${facts(model)}${waiting ? html` · <strong>${text.servers.waiting(waiting)}</strong>` : nothing}</span>
          </span>
          <button type="button" class="small-button" ?disabled=${model.missing} aria-label=${text.servers.startOf(model.alias)}
            @click=${() => void actions.servers.start(model.alias)}>${text.servers.start}</button>
        </li>`;
      })}
    </ul>
  </section>`;
}

/** @param {import('../../types/bridge.js').ModelInfo} model */
function facts(model) {
  if (model.missing) return text.missing;
  const context = model.context_length ?? model.trained_context;
  return [
    model.size_bytes === null ? null : fileSize(model.size_bytes),
    model.architecture,
    context === null ? null : text.tokens(context),
    model.embedding ? text.embedding : null,
    model.layers === null ? null : text.servers.layers(model.layers),
  ]
    .filter(Boolean)
    .join(' · ');
}
