/**
 * What the gateway view knows: which form is open and what is wrong in it, the key that was just made, and what waits
 * to be confirmed.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('./alias_values.js').Alias} Alias
 * @typedef {import('./alias_values.js').Kind} Kind
 * @typedef {import('./alias_values.js').Values} Values
 * @typedef {import('./alias_values.js').Wrong} Wrong
 * @typedef {{ id: number, kind: Kind, former: Alias | null, values: Values }} Form
 */
import { batch, effect, signal } from '@preact/signals-core';
import { BridgeError } from '../../bridge.js';
import { aliasOf, valuesOf, wrongOf } from './alias_values.js';

/** How often servers and targets elsewhere are looked at while somebody sees them. */
const LOOK_MS = 5000;

export class GatewaySource {
  #forms = 0;

  /** @param {App} app @param {import('@preact/signals-core').ReadonlySignal<boolean>} shown */
  constructor(app, shown) {
    this.app = app;
    /** @type {import('@preact/signals-core').Signal<Form | null>} */
    this.form = signal(null);
    /** @type {import('@preact/signals-core').Signal<Wrong>} */
    this.wrong = signal({});
    /** @type {import('@preact/signals-core').Signal<Wrong>} What is wrong with the key that is asked for. */
    this.keyWrong = signal({});
    /** @type {import('@preact/signals-core').Signal<import('../../types/bridge.js').NewApiKey | null>} */
    this.made = signal(null);
    /** @type {import('@preact/signals-core').Signal<string | null>} What is about to be given up, as `alias:NAME` or `key:NAME`. */
    this.confirming = signal(null);
    this.keyForms = signal(0);
    effect(() => {
      if (!shown.value || app.store.link.value !== 'open') return undefined;
      void app.actions.gateway.load();
      const looking = setInterval(() => void app.actions.gateway.look(), LOOK_MS);
      return () => clearInterval(looking);
    });
  }

  /** @param {Kind} kind @param {Alias | null} [alias] */
  open(kind, alias = null) {
    batch(() => {
      this.wrong.value = {};
      this.form.value = { id: ++this.#forms, kind, former: alias, values: valuesOf(kind, alias) };
    });
  }

  close() {
    this.form.value = null;
  }

  /** @param {Values} values */
  async save(values) {
    const form = this.form.value;
    if (!form) return;
    const { alias, wrong } = aliasOf(form.kind, values);
    this.wrong.value = wrong;
    if (Object.keys(wrong).length) return;
    const key = String(values['key'] ?? '').trim() || null;
    const error = await this.app.actions.gateway.saveAlias(alias, key, form.former?.name ?? null);
    if (error) this.wrong.value = wrongOf(error, values);
    else if (this.form.value === form) this.close();
  }

  /** @param {import('../../actions/gateway.js').KeyTerms} terms */
  async createKey(terms) {
    const made = await this.app.actions.gateway.createKey(terms);
    batch(() => {
      if (made instanceof BridgeError) {
        this.keyWrong.value = wrongOf(made, { name: '', requests_per_minute: '', streams: '', days: '', scopes: '' });
        return;
      }
      this.keyWrong.value = {};
      this.keyForms.value++; // the next one begins empty
      this.made.value = made;
    });
  }
}
