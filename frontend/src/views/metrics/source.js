/**
 * Keeps the past current while somebody looks at it, and rests otherwise: nothing is asked and nothing is watched then.
 *
 * Each pushed sample is the beat. What is new since the last row is asked for as often as the range has rows.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('./history.js').MetricsHistory} MetricsHistory
 * @typedef {MetricsHistory['range']} Range
 */
import { effect, signal } from '@preact/signals-core';
import { seen } from '../../seen.js';
import { extended, fits } from './history.js';

/** @type {Record<Range, number>} Seconds between two questions. */
const EVERY_S = { '5m': 0, '1h': 10, '24h': 60 };
// What failed was told; nobody wants to hear it every second.
const RETRY_S = 15;

export class MetricsSource {
  #asking = false;
  #againAt = 0;
  #wanted = '';

  /** @param {App} app @param {import('@preact/signals-core').ReadonlySignal<boolean>} shown */
  constructor(app, shown) {
    this.app = app;
    /** @type {import('@preact/signals-core').Signal<Range>} */
    this.range = signal('5m');
    this.cores = signal(false);
    /** @type {import('@preact/signals-core').Signal<MetricsHistory | null>} */
    this.history = signal(null);
    /** @type {import('@preact/signals-core').Signal<number | null>} The row that the cursor is at, in every chart. */
    this.cursor = signal(null);
    this.looking = seen(shown);
    effect(() => app.actions.ui.watchClosely('metrics', this.looking.value));
    effect(() => {
      const open = this.looking.value && app.store.link.value === 'open';
      const wanted = `${this.range.value} ${this.cores.value}`;
      void app.store.metrics.value; // the beat
      if (!open) {
        this.#wanted = '';
        return;
      }
      void this.#follow(wanted);
    });
  }

  /** @param {string} wanted @returns {Promise<void>} */
  async #follow(wanted) {
    if (this.#asking || (wanted === this.#wanted && Date.now() < this.#againAt)) return;
    const range = this.range.peek();
    const past = wanted === this.#wanted ? this.history.peek() : null;
    const after = past?.times.at(-1) ?? null;
    this.#asking = true;
    this.#wanted = wanted;
    let told;
    try {
      told = await this.app.actions.metrics.history(range, after, this.cores.peek());
    } finally {
      this.#asking = false;
      this.#againAt = Date.now() + (told ? EVERY_S[range] : RETRY_S) * 1000;
    }
    const now = `${this.range.peek()} ${this.cores.peek()}`;
    if (now !== wanted) return this.#follow(now);
    if (!told) return undefined;
    if (past && !fits(past, told)) {
      this.#wanted = '';
      return this.#follow(wanted);
    }
    this.history.value = past && after !== null ? extended(past, told) : told;
    return undefined;
  }
}
