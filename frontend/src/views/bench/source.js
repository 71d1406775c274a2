/**
 * What the bench view knows: the runs that there were, the one that goes on, and the one that is looked at.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').BenchRun} BenchRun
 * @typedef {import('../../types/bridge.js').BenchReport} BenchReport
 */
import { computed, effect, signal } from '@preact/signals-core';

export class BenchSource {
  /** @param {App} app @param {import('@preact/signals-core').ReadonlySignal<boolean>} shown */
  constructor(app, shown) {
    this.app = app;
    /** Whether the runs are known; until then nothing is said about them. */
    this.known = signal(false);
    /** @type {import('@preact/signals-core').Signal<BenchRun[]>} The newest first. */
    this.runs = signal([]);
    /** @type {import('@preact/signals-core').Signal<BenchReport | null>} */
    this.report = signal(null);
    /** Why the last run ended before its time. */
    this.error = signal('');
    this.quick = signal(true);
    /** @type {import('@preact/signals-core').Signal<string | null>} */
    this.chosen = signal(null);
    this.models = computed(() => app.store.models.value.filter((model) => !model.embedding && !model.missing));
    this.model = computed(() => this.models.value.find((model) => model.alias === (this.chosen.value ?? app.store.model.value?.alias)) ?? this.models.value[0] ?? null);
    this.progress = computed(() => app.store.bench.value?.progress ?? null);
    /** What is drawn: the run under way as far as it is measured, else the one that was chosen. */
    this.shown = computed(() => {
      const run = this.progress.value ? app.store.bench.value?.run : null;
      return run?.results.length ? { run, comparison: null } : this.report.value;
    });
    effect(() => {
      if (shown.value && app.store.link.value === 'open') void this.load();
    });
    effect(() => this.#follow(app.store.bench.value));
  }

  /** Ask what there is; a window that was away may have missed the end of a run. */
  async load() {
    const told = await this.app.actions.bench.list();
    if (!told) return;
    this.runs.value = told.runs;
    this.app.store.bench.value = told.now;
    this.known.value = true;
    const newest = told.runs[0];
    if (newest && !this.report.value) await this.show(newest.id);
  }

  /** @param {number} id @param {number | null} [against] */
  async show(id, against = null) {
    this.report.value = (await this.app.actions.bench.report(id, against)) ?? this.report.value;
  }

  async measure() {
    const model = this.model.value;
    if (!model) return;
    this.error.value = '';
    await this.app.actions.bench.start(model.alias, this.quick.value);
  }

  /** @param {import('../../types/bridge.js').BenchFrame | null} frame */
  #follow(frame) {
    if (!frame || frame.progress) return;
    this.error.value = frame.error;
    const { report } = frame;
    if (!report) return;
    this.report.value = report;
    this.runs.value = [report.run, ...this.runs.peek().filter((run) => run.id !== report.run.id)];
  }
}
