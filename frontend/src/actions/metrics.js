/** The hardware's past: looked at, and saved to a file. */
import { saveFile } from '../save_file.js';

/** @typedef {import('../types/bridge.js').MetricsHistory['range']} Range */

export class Metrics {
  /** @param {import('./core.js').Core} core */
  constructor(core) {
    this.core = core;
  }

  /** What came after a time, or all. Undefined when it cannot be had now. @param {Range} range @param {number | null} after @param {boolean} cores */
  async history(range, after, cores) {
    return this.core.call('get_metrics_history', { range, after, cores });
  }

  /** @param {Range} range */
  async exportTable(range) {
    const table = await this.core.call('export_metrics', { range });
    if (table) await this.core.tell(saveFile(this.core, table.file_name, new Blob([table.content], { type: 'text/csv' })));
  }

  /** @param {string} name @param {Blob} picture */
  async savePicture(name, picture) {
    await this.core.tell(saveFile(this.core, name, picture));
  }
}
