/**
 * Keeps the past current while somebody looks at it, and rests otherwise: nothing is asked and nothing is watched then.
 *
 * Each pushed sample is the beat. What is new since the last row is asked for as often as the range has rows.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('./history.js').MetricsHistory} MetricsHistory
 * @typedef {MetricsHistory['range']} Range
 */
import { computed, effect, signal } from '@preact/signals-core';
import { extended, fits } from './history.js';

/** @type {Record<Range, number>} Seconds between two questions. */
const EVERY_S = { '5m': 0, '1h': 10, '24h': 60 };

export class MetricsSource {
  #asking = false;
  #askedAt = 0;
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
    this.visible = signal(!document.hidden);
    this.looking = computed(() => shown.value && this.visible.value);
    document.addEventListener('visibilitychange', () => (this.visible.value = !document.hidden));
    effect(() => app.actions.ui.watchCharts(this.looking.value));
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

  /** @param {string} wanted */
  async #follow(wanted) {
    if (this.#asking) return;
    const past = wanted === this.#wanted ? this.history.peek() : null;
    const range = this.range.peek();
    if (past && Date.now() - this.#askedAt < EVERY_S[range] * 1000) return;
    this.#asking = true;
    this.#askedAt = Date.now();
    const after = past?.times.at(-1) ?? null;
    const told = await this.app.actions.metrics.history(range, after, this.cores.peek());
    this.#asking = false;
    const now = `${this.range.peek()} ${this.cores.peek()}`;
    if (!told || now !== wanted) {
      if (now !== wanted) void this.#follow(now);
      return;
    }
    if (past && after !== null && !fits(past, told)) {
      this.#wanted = '';
      return void this.#follow(wanted);
    }
    this.#wanted = wanted;
    this.history.value = past && after !== null ? extended(past, told) : told;
  }
}
