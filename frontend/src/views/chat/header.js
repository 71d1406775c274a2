/**
 * The head of the chat: title, model, settings.
 *
 * @typedef {import('../../page.js').App} App
 */
import { signal } from '@preact/signals-core';
import { html } from 'lit-html';
import { icon } from '../../components/icon.js';
import { modelPicker } from '../../components/model_picker.js';
import { titleField } from '../../components/title_field.js';
import { text } from '../../i18n/index.js';
import { forkSign } from './fork_mark.js';

/** Where the list lies over the chat instead of beside it; list.css has the same number. */
const query = matchMedia('(max-width: 959px)');
const narrow = signal(query.matches);
query.addEventListener('change', () => (narrow.value = query.matches));

/** @param {App} app */
export function header(app) {
  const { store, page } = app;
  const conversation = store.conversation.value;
  const renaming = conversation && page.renaming.value?.id === conversation.id && page.renaming.value.where === 'header';
  const listLabel = (narrow.value ? page.drawer.value : !store.ui.value.list_folded) ? text.hideList : text.showList;
  return html`
    <button type="button" class="icon-button" aria-label=${listLabel} title=${listLabel} @click=${() => toggleList(app)}>
      ${icon('panel-left')}
    </button>
    ${renaming
      ? titleField(app, conversation)
      : conversation
        ? html`<h1 class="chat-title">
            <button type="button" title=${text.rename} @click=${() => (page.renaming.value = { id: conversation.id, where: 'header' })}>
              ${forkSign(conversation)}${conversation.title}
            </button>
          </h1>`
        : html`<h1 class="chat-title">${store.ready.value ? text.newChat : ''}</h1>`}
    ${modelPicker(app)}
    <button type="button" class="icon-button" aria-label=${text.settings} title=${text.settingsHint} @click=${() => (page.panel.value = true)}>
      ${icon('sliders-horizontal')}
    </button>
  `;
}

/** @param {App} app */
function toggleList({ store, actions, page }) {
  if (narrow.value) page.drawer.value = !page.drawer.value;
  else actions.ui.remember({ list_folded: !store.ui.value.list_folded });
}
