/** How fast models are: beginning to measure, ending it, and looking at what was measured. */

export class Bench {
  /** @param {import('./core.js').Core} core */
  constructor(core) {
    this.core = core;
  }

  list() {
    return this.core.call('list_bench_runs', {});
  }

  /** @param {number} id @param {number | null} against */
  report(id, against) {
    return this.core.call('get_bench_run', { id, against });
  }

  /** @param {string} model @param {boolean} quick */
  start(model, quick) {
    return this.core.call('start_bench', { model, quick });
  }

  stop() {
    return this.core.call('stop_bench', {});
  }
}
