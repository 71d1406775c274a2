/**
 * One server: its state, what it costs, what it was started with, how it ended before, what it writes.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').ServerInfo} ServerInfo
 * @typedef {import('../../types/bridge.js').ServerDetails} ServerDetails
 * @typedef {import('@preact/signals-core').ReadonlySignal<boolean>} Shown
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { stateMark } from '../../components/state_mark.js';
import { count, dateAndTime, decimal, fileSize, span, timeOfDay } from '../../format.js';
import { text } from '../../i18n/index.js';
import { copyText } from '../../links.js';
import { stateMachine } from './machine.js';
import './output.js';

/** @param {App} app @param {ServerInfo} server @param {ServerDetails | undefined} details @param {Shown} shown */
export function serverCard(app, server, details, shown) {
  const state = app.store.stateOf(server.alias);
  return html`<article class="server is-${state}" aria-label=${server.alias}>
    <header>
      ${stateMark(state)}
      <h2>${server.alias}</h2>
      <span class="server-buttons">${buttons(app, server)}</span>
    </header>
    ${server.reason ? html`<p class="server-reason ${state === 'failed' ? 'is-bad' : ''}" role=${state === 'failed' ? 'alert' : nothing}>${server.reason}</p>` : nothing}
    ${server.held ? html`<p class="server-reason">${text.servers.held(app.store.leaving)}</p>` : nothing}
    ${details?.engine_note ? html`<p class="server-reason">${details.engine_note}</p>` : nothing}
    ${stateMachine(state)}
    <dl class="facts">${facts(app, server, details).map(([name, value, title]) => html`<div class=${name === text.servers.file ? 'is-wide' : nothing}><dt>${name}</dt><dd title=${title || nothing}>${value}</dd></div>`)}</dl>
    ${details ? html`${flags(details)}${exits(details)}` : nothing}
    ${output(app, server, shown)}
  </article>`;
}

/** @param {App} app @param {ServerInfo} server */
function buttons({ actions }, server) {
  const { alias, phase, leases } = server;
  const button = (/** @type {string} */ label, /** @type {string} */ hint, /** @type {() => void} */ act, off = false) =>
    html`<button type="button" class="small-button" title=${hint} ?disabled=${off} @click=${act}>${label}</button>`;
  if (phase === 'failed') {
    return html`${button(text.servers.dismiss, text.servers.dismissHint, () => void actions.servers.stop(alias))}
      ${button(text.servers.start, text.servers.startHint, () => void actions.servers.start(alias))}`;
  }
  const off = phase === 'stopping';
  return html`${button(text.servers.unload, leases ? text.servers.unloadBusyHint : text.servers.unloadHint, () => void actions.servers.unload(alias), off || phase !== 'ready')}
    ${button(text.servers.restart, text.servers.restartHint, () => void actions.servers.restart(alias), off)}
    ${button(text.servers.stop, text.servers.stopHint, () => void actions.servers.stop(alias), off)}`;
}

/** @param {App} app @param {ServerInfo} server @param {ServerDetails | undefined} details @returns {[string, string, string?][]} */
function facts({ store }, server, details) {
  const sample = store.metrics.value?.servers.find((one) => one.alias === server.alias);
  const cost = sample?.process;
  const now = store.metrics.value?.hardware.at ?? Date.now() / 1000;
  const words = text.servers;
  /** @type {[string, string | null, string?][]} */
  const all = [
    [words.engine, details?.engine ? `${words.engines[details.engine]} · ${details.variant}` : null, details?.command.join(' ')],
    [words.process, server.pid === null ? null : `${server.pid}${details?.port ? ` · ${words.port(details.port)}` : ''}`],
    [server.phase === 'ready' ? words.up : words.since, server.since === null ? null : span(Math.max(0, now - server.since)), server.since === null ? undefined : dateAndTime(server.since)],
    [words.requests, words.requestsNow(server.leases, server.waiting)],
    [words.slots, sample && typeof sample.slots === 'number' ? words.slotsInUse(sample.slots_busy ?? 0, sample.slots) : null, words.slotsHint],
    [words.context, sample && typeof sample.context_limit === 'number' ? words.contextInUse(sample.context_tokens ?? 0, sample.context_limit) : null, words.contextHint],
    [words.cpu, typeof cost?.cpu === 'number' ? `${count(cost.cpu)} %` : null, words.cpuHint],
    [words.memory, typeof cost?.rss === 'number' ? fileSize(cost.rss) : details?.memory_bytes ? words.about(fileSize(details.memory_bytes)) : null],
    [words.vram, typeof cost?.gpu_memory === 'number' ? fileSize(cost.gpu_memory) : null],
    [words.restarts, server.restarts ? count(server.restarts) : null],
    [words.unloads, unloads(details, server)],
    [words.file, details?.model_path ?? null, details?.model_path ?? undefined],
  ];
  return all.flatMap(([name, value, title]) => (value === null ? [] : [[name, value, title]]));
}

/** @param {ServerDetails | undefined} details @param {ServerInfo} server */
function unloads(details, server) {
  if (!details || server.phase !== 'ready' || server.leases) return null;
  if ((details.keep_alive_s ?? 0) < 0) return text.servers.never;
  return details.unloads_at === null ? null : text.servers.at(timeOfDay(details.unloads_at));
}

/** @param {ServerDetails} details */
function flags({ flags: given, command }) {
  if (!command.length) return nothing;
  const words = text.servers;
  return html`<details class="fold">
    <summary>${words.arguments(given.length)}</summary>
    ${given.length
      ? html`<table class="flags">
          <thead><tr><th scope="col">${words.argument}</th><th scope="col">${words.origin}</th></tr></thead>
          <tbody>
            ${given.map((flag) => html`<tr><td><code>${flag.text}</code></td><td title=${words.originHints[flag.origin] ?? ''}>${words.origins[flag.origin] ?? flag.origin}</td></tr>`)}
          </tbody>
        </table>`
      : html`<p class="help">${words.noArguments}</p>`}
  </details>`;
}

/** @param {ServerDetails} details */
function exits({ exits: ends }) {
  if (!ends.length) return nothing;
  return html`<details class="fold" open>
    <summary>${text.servers.exits(ends.length)}</summary>
    <ul class="exits">
      ${[...ends].reverse().map(
        (one) => html`<li>
          <time>${timeOfDay(one.at)}</time>
          <span>${one.reason}</span>
          ${one.ran_s === null ? nothing : html`<span class="exits-ran">${text.servers.ran(one.ran_s < 60 ? `${decimal(one.ran_s)} s` : span(one.ran_s))}</span>`}
        </li>`,
      )}
    </ul>
  </details>`;
}

/** @param {App} app @param {ServerInfo} server @param {Shown} shown */
function output(app, server, shown) {
  const { alias } = server;
  const source = { alias, shown, ask: (/** @type {any} */ known) => app.actions.servers.output(alias, known) };
  const copy = (/** @type {Event} */ event) => {
    const fold = /** @type {HTMLElement} */ (event.currentTarget).closest('.fold');
    const element = /** @type {import('./output.js').ServerOutputElement | null} */ (fold?.querySelector('server-output'));
    if (element) void copyText(element.content).then(() => app.page.notify(text.copied));
  };
  const open = app.page.outputs.value.has(alias);
  const toggled = (/** @type {Event} */ event) => app.page.showOutput(alias, /** @type {HTMLDetailsElement} */ (event.currentTarget).open);
  return html`<details class="fold" ?open=${open} @toggle=${toggled}>
    <summary>${text.servers.output}</summary>
    ${open
      ? html`<div class="output-box">
          <button type="button" class="icon-button output-copy" title=${text.copy} aria-label=${text.copy} @click=${copy}>${icon('copy')}</button>
          <server-output .source=${source}></server-output>
        </div>`
      : nothing}
  </details>`;
}
