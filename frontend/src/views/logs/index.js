/**
 * The log view: what the app and the engines write, as it comes.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('@preact/signals-core').ReadonlySignal<boolean>} Shown
 * @typedef {import('../../types/bridge.js').LogLine} LogLine
 */
import { effect, signal } from '@preact/signals-core';
import { html, nothing, render } from 'lit-html';
import { icon } from '../../components/icon.js';
import { LineList, lineRow } from '../../components/line_list.js';
import { clockTime, dateAndTime } from '../../format.js';
import { text } from '../../i18n/index.js';
import { copyWithSign } from '../../links.js';
import { keep } from '../../render.js';
import { LEVELS, matcher } from './filter.js';

const SOURCES = ['all', 'app', 'engine'];

/** @param {HTMLElement} root @param {App} app @param {Shown} shown */
export function mountLogs(root, app, shown) {
  render(
    html`<main class="page logs">
      <header class="page-header"></header>
      <div class="logs-lines"></div>
    </main>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  /** @type {import('@preact/signals-core').Signal<import('./filter.js').Filter>} */
  const filter = signal({ level: 'info', source: 'all', query: '' });
  const { log } = app.store;
  const list = new LineList(part('.logs-lines'), text.logs.title);

  keep(part('.page-header'), () => header(app, filter, list));
  effect(() => {
    const watching = shown.value;
    void app.actions.servers.watchLog(watching);
    if (watching) list.replace(rowsOf(log.lines.filter(matcher(filter.peek()))));
  });
  effect(() => {
    const wanted = matcher(filter.value);
    const rows = rowsOf(log.lines.filter(wanted));
    const nothingFits = log.lines.length ? text.logs.nothingFits : text.logs.empty;
    list.replace(rows.length ? rows : [lineRow(nothingFits, 'lines-note is-empty')]);
  });
  effect(() => {
    const { skipped, lines } = log.news.value;
    const rows = rowsOf(lines.filter(matcher(filter.peek())));
    if (skipped) rows.unshift(lineRow(text.logs.skipped(skipped), 'lines-note'));
    if (rows.length) list.add(rows);
  });
}

/** @param {App} app @param {import('@preact/signals-core').Signal<import('./filter.js').Filter>} filter @param {LineList} list */
function header({ store, actions }, filter, list) {
  const words = text.logs;
  const { level, source, query } = filter.value;
  const change = (/** @type {Partial<import('./filter.js').Filter>} */ part) => (filter.value = { ...filter.value, ...part });
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
  const copy = (/** @type {Event} */ event) => {
    const shown = store.log.lines.filter(matcher(filter.peek())).map(asText);
    void copyWithSign(/** @type {HTMLElement} */ (event.currentTarget), shown.join('\n'));
  };
  return html`<h1>${words.title}</h1>
    <label><span class="visually-hidden">${words.source}</span>
      <select .value=${source} @change=${(/** @type {Event} */ event) => change({ source: value(event) })}>
        ${SOURCES.map((one) => html`<option value=${one} ?selected=${one === source}>${words.sources[one]}</option>`)}
      </select></label>
    <label><span class="visually-hidden">${words.level}</span>
      <select .value=${level} @change=${(/** @type {Event} */ event) => change({ level: /** @type {any} */ (value(event)) })}>
        ${LEVELS.map((one) => html`<option value=${one} ?selected=${one === level}>${words.levels[one]}</option>`)}
      </select></label>
    <div class="search page-search">${icon('search')}
      <input type="text" role="searchbox" placeholder=${words.filter} aria-label=${words.filterLabel} .value=${query}
        autocomplete="off" spellcheck="false" @input=${(/** @type {Event} */ event) => change({ query: value(event) })} />
    </div>
    <button type="button" class="small-button" aria-pressed=${list.follow.atEnd.value ? 'true' : 'false'} title=${words.followHint}
      @click=${() => (list.follow.atEnd.value ? (list.follow.atEnd.value = false) : list.follow.toEnd())}>
      ${list.follow.atEnd.value ? words.following : words.follow}
    </button>
    <button type="button" class="small-button" title=${words.copyHint} @click=${copy}><span class="label">${text.copy}</span></button>
    ${store.nativeDialogs.value
      ? html`<button type="button" class="small-button" title=${store.logPath.value ?? nothing} @click=${() => void actions.servers.openLogFile()}>
          ${words.openFile}
        </button>`
      : nothing}`;
}

/** @param {LogLine[]} lines */
const rowsOf = (lines) => lines.map(rowOf);

/** @param {LogLine} line */
function rowOf(line) {
  const row = document.createElement('li');
  row.className = `log-line is-${line.level} is-${line.source}`;
  const [time, level, name, content] = ['time', 'span', 'span', 'span'].map((tag) => document.createElement(tag));
  if (!time || !level || !name || !content) return row;
  time.textContent = clockTime(line.at);
  time.title = dateAndTime(line.at);
  level.className = 'log-level';
  level.textContent = text.logs.levelNames[line.level] ?? line.level;
  name.className = 'log-name';
  name.textContent = shortName(line);
  name.title = line.name;
  content.className = 'log-text';
  content.textContent = line.text;
  row.append(time, level, name, content);
  return row;
}

/** Loggers are named by modules: the last word says enough. @param {LogLine} line */
const shortName = (line) => (line.source === 'engine' ? line.name : (line.name.split('.').at(-1) ?? line.name));

/** As the file has it. @param {LogLine} line */
const asText = (line) =>
  `${new Date(line.at * 1000).toISOString()} ${line.level} ${line.source === 'engine' ? `[${line.name}]` : `${line.name}:`} ${line.text}`;
