/**
 * The gateway view: where other programs find Llamero, the names they may ask for, and the keys that let them in.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect } from '@preact/signals-core';
import { html, nothing, render } from 'lit-html';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { addresses } from './addresses.js';
import { aliasForm } from './alias_form.js';
import { keys, madeKey } from './keys.js';
import { names } from './names.js';
import { GatewaySource } from './source.js';

const words = text.gateway;

/** @param {HTMLElement} root @param {App} app @param {import('@preact/signals-core').ReadonlySignal<boolean>} shown */
export function mountGateway(root, app, shown) {
  render(
    html`<main class="page gateway">
      <header class="page-header"></header>
      <div class="page-body">
        <div class="gateway-column">
          <section class="gateway-addresses" aria-labelledby="gateway-addresses"></section>
          <section class="gateway-names" aria-labelledby="gateway-names"></section>
          <section class="gateway-keys" aria-labelledby="gateway-keys"></section>
        </div>
      </div>
      <dialog class="log sheet alias-dialog" aria-labelledby="alias-form-title"></dialog>
      <dialog class="log sheet key-dialog" aria-labelledby="made-key-title"></dialog>
    </main>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  const source = new GatewaySource(app, shown);
  keep(part('.page-header'), () => header(app));
  keep(part('.gateway-addresses'), () => addresses(source));
  keep(part('.gateway-names'), () => names(source));
  keep(part('.gateway-keys'), () => keys(source));
  showWhile(part('.alias-dialog'), source.form, () => aliasForm(source));
  showWhile(part('.key-dialog'), source.made, () => madeKey(source));
}

/** @param {App} app */
function header({ store }) {
  const state = store.gateway.value;
  return html`<h1>${words.title}</h1>
    <span class="page-summary">${state ? (state.key_required ? words.keyed : words.open) : nothing}</span>`;
}

/** A modal dialog that is open as long as a signal has something. @param {HTMLElement} element @param {import('@preact/signals-core').Signal<any>} what @param {() => unknown} template */
function showWhile(element, what, template) {
  const dialog = /** @type {HTMLDialogElement} */ (element);
  dialog.addEventListener('close', () => (what.value = null));
  keep(dialog, () => (what.value === null ? nothing : template()));
  effect(() => {
    if (what.value !== null && !dialog.open) dialog.showModal();
    else if (what.value === null && dialog.open) dialog.close();
  });
}
