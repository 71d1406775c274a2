/**
 * `<server-output>`: what an engine wrote last, followed while it is on the page and the view is shown.
 *
 * @typedef {import('../../types/bridge.js').ServerOutput} ServerOutput
 * @typedef {{ alias: string, shown: import('@preact/signals-core').ReadonlySignal<boolean>, ask: (known: ServerOutput | null) => Promise<ServerOutput | undefined> }} Source
 */
import { LineList, lineRow } from '../../components/line_list.js';
import { text } from '../../i18n/index.js';

const EVERY_MS = 500;

export class ServerOutputElement extends HTMLElement {
  constructor() {
    super();
    /** @type {Source | null} */
    this.source = null;
    /** @type {LineList | null} */
    this.list = null;
    /** @type {ServerOutput | null} */
    this.known = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    this.list ??= new LineList(this, text.logOf(this.source?.alias ?? ''));
    void this.#look();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  /** All that is shown. */
  get content() {
    return [...(this.list?.rows.children ?? [])].map((row) => row.textContent).join('\n');
  }

  async #look() {
    clearTimeout(this.timer);
    const { source, list } = this;
    const found = source?.shown.peek() && !document.hidden ? await source.ask(this.known) : undefined;
    if (found && list) this.#show(found, list);
    clearTimeout(this.timer);
    if (this.isConnected) this.timer = setTimeout(() => void this.#look(), EVERY_MS);
  }

  /** @param {ServerOutput} found @param {LineList} list */
  #show(found, list) {
    const rows = found.lines.map((line) => lineRow(line));
    const another = found.generation !== this.known?.generation;
    if (another) list.replace(rows.length ? rows : [lineRow(text.logEmpty, 'lines-note is-empty')]);
    else if (rows.length) list.add(rows);
    this.known = { ...found, lines: [] };
  }
}

customElements.define('server-output', ServerOutputElement);
