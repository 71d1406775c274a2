/**
 * The servers view: each server as a card, and below them the models that could run.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('@preact/signals-core').ReadonlySignal<boolean>} Shown
 * @typedef {import('../../types/bridge.js').ServerDetails} ServerDetails
 */
import { effect, signal } from '@preact/signals-core';
import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { askForPath } from '../../components/model_picker.js';
import { text } from '../../i18n/index.js';
import { CHAT } from '../../page.js';
import { keep } from '../../render.js';
import { seen } from '../../seen.js';
import { serverCard } from './card.js';
import { machineDefinitions } from './machine.js';
import { restingModels } from './resting.js';

/** @param {HTMLElement} root @param {App} app @param {Shown} shown */
export function mountServers(root, app, shown) {
  render(
    html`<main class="page servers">
      ${machineDefinitions}
      <header class="page-header"></header>
      <div class="page-body"><div class="servers-column"></div></div>
    </main>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  /** @type {import('@preact/signals-core').Signal<Map<string, ServerDetails>>} */
  const details = signal(new Map());
  followDetails(app, shown, details);
  const looking = seen(shown);
  effect(() => app.actions.ui.watchClosely('servers', looking.value));
  keep(part('.page-header'), () => header(app));
  keep(part('.servers-column'), () => {
    // Numbers move every second; nobody sees them in a view that rests.
    if (!shown.value) return nothing;
    const running = app.store.servers.value.filter((server) => server.phase !== 'stopped');
    return html`${running.length ? nothing : noneRuns(app)}
      ${repeat(running, (server) => server.alias, (server) => serverCard(app, server, details.value.get(server.alias), shown))}
      ${restingModels(app)}`;
  });
}

/** @param {App} app */
function header({ store, actions }) {
  const running = store.servers.value.filter((server) => server.pid !== null);
  const waiting = store.servers.value.reduce((sum, server) => sum + server.waiting, 0);
  return html`<h1>${text.servers.title}</h1>
    <p class="page-summary">${text.servers.summary(running.length, waiting)}</p>
    ${running.length > 1
      ? html`<button type="button" class="small-button" @click=${() => running.forEach((server) => void actions.servers.unload(server.alias))}>
          ${text.servers.unloadAll}
        </button>`
      : nothing}`;
}

/** @param {App} app */
function noneRuns(app) {
  const { store, page } = app;
  const any = store.models.value.length > 0;
  const toChat = () => {
    page.view.value = CHAT;
    if (!any) askForPath(app);
  };
  return html`<div class="empty">
    <div class="picture" aria-hidden="true">${icon('server')}</div>
    <h2>${text.servers.noneTitle}</h2>
    <p>${any ? text.servers.noneBody : text.servers.noModels}</p>
    ${any ? nothing : html`<div class="empty-buttons"><button type="button" class="button" @click=${toChat}>${text.openModelFile}</button></div>`}
  </div>`;
}

/**
 * What does not change with every request is asked for when the server it belongs to does.
 *
 * @param {App} app @param {Shown} shown @param {import('@preact/signals-core').Signal<Map<string, ServerDetails>>} details
 */
function followDetails({ store, actions }, shown, details) {
  /** @type {Map<string, string>} */
  const asked = new Map();
  effect(() => {
    if (!shown.value) return;
    for (const server of store.servers.value) {
      const moment = [server.phase, server.since, server.restarts, server.pid, server.leases > 0].join(' ');
      if (server.phase === 'stopped' || asked.get(server.alias) === moment) continue;
      asked.set(server.alias, moment);
      void actions.servers.details(server.alias).then((found) => {
        if (found) details.value = new Map(details.peek()).set(server.alias, found);
        else asked.delete(server.alias);
      });
    }
  });
}
