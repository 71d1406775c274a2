/**
 * A chat that has not begun. The first time it says where one is, and leads to an answer.
 *
 * @typedef {import('../../page.js').App} App
 */
import { html, nothing } from 'lit-html';
import { askForPath } from '../../components/model_picker.js';
import { text } from '../../i18n/index.js';
import { isLocal } from '../../models.js';
import { focusComposer } from './composer.js';

/** @param {App} app */
export function emptyState(app) {
  const { store, actions } = app;
  const model = store.model.value;
  const first = store.conversations.value.length === 0;
  const openFile = async () => {
    if (store.nativeDialogs.value) await actions.models.choose();
    else askForPath(app);
  };
  const tryDemo = () => {
    focusComposer();
    void actions.answers.ask(text.demoQuestion);
  };
  const openButton = html`<button type="button" class="button" @click=${openFile}>${text.openModelFile}</button>`;
  if (!model) return screen(text.welcomeFirst, html`<p>${text.firstBody}</p><p>${text.noModels}</p>`, openButton);
  if (!model.is_demo) return screen(text.welcome, html`<p>${isLocal(model) ? text.emptyBody(model.alias) : text.emptyBodyElsewhere(model.alias)}</p>`, nothing);
  return screen(
    first ? text.welcomeFirst : text.welcome,
    html`<p>${text.firstBody}</p>
      <p>${text.firstDemo}</p>`,
    html`<button type="button" class="button is-primary" @click=${tryDemo}>${text.tryDemo}</button>
      ${openButton}`,
  );
}

/** @param {string} title @param {unknown} body @param {unknown} buttons */
const screen = (title, body, buttons) => html`<div class="empty">
  <div class="picture"><img src="/llamero.svg" alt="" /></div>
  <h2>${title}</h2>
  ${body}
  <div class="empty-buttons">${buttons}</div>
</div>`;
