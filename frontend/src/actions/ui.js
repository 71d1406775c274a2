/** The page itself: what of it is remembered for the next time, whether somebody looks at it, and its links. */

/** @typedef {import('../types/bridge.js').UiState} UiState */

const SAVE_AFTER_MS = 400;

export class Ui {
  /** @param {import('./core.js').Core} core */
  constructor(core) {
    this.core = core;
    this.looking = false;
    /** @type {Set<string>} Views on the screen that show what servers do. */
    this.closely = new Set();
    /** @type {number | undefined} */
    this.saveTimer = undefined;
  }

  /** @param {string} url */
  async openLink(url) {
    await this.core.call('open_link', { url });
  }

  /** Samples come every second while somebody looks closely, and now and then otherwise. @param {boolean} looking */
  look(looking) {
    this.looking = looking;
    this.watchMetrics();
  }

  /** Charts and cards are watched without a hand on the mouse. @param {string} view @param {boolean} shown Whether it is on the screen. */
  watchClosely(view, shown) {
    if (this.closely.has(view) === shown) return;
    if (shown) this.closely.add(view);
    else this.closely.delete(view);
    this.watchMetrics();
  }

  watchMetrics() {
    const closely = this.closely.size > 0;
    this.core.bridge.invoke('watch_metrics', { watching: this.looking || closely, closely }).catch(() => {});
  }

  /**
   * Saved at once, since a reload or a crash may follow a click as quickly; only what is being typed waits for a pause.
   * @param {Partial<UiState>} change
   */
  remember(change) {
    this.core.store.ui.value = { ...this.core.store.ui.value, ...change };
    clearTimeout(this.saveTimer);
    if (change.drafts) this.saveTimer = setTimeout(() => this.save(), SAVE_AFTER_MS);
    else this.save();
  }

  /** @param {{ last?: boolean }} [options] */
  save(options) {
    clearTimeout(this.saveTimer);
    // A page that has not been told what is remembered would overwrite it with nothing.
    if (!this.core.store.ready.value) return;
    this.core.bridge.invoke('set_ui_state', { ui: this.core.store.ui.value }, options).catch(() => {});
  }
}
