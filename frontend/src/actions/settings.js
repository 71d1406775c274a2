/** The settings, and the program about itself. */

/** @typedef {import('../types/bridge.js').ChangeSetting} ChangeSetting */

export class Settings {
  /** @param {import('./core.js').Core} core */
  constructor(core) {
    this.core = core;
  }

  async load() {
    this.#take(await this.core.call('get_settings', {}));
  }

  /** @param {string} path @param {ChangeSetting['value']} value Null takes it out of the file. */
  async change(path, value) {
    const report = await this.core.changes.send('settings', () => this.core.call('change_setting', { path, value }));
    if (!report) return false;
    this.#take(report);
    return true;
  }

  about() {
    return this.core.call('get_about', {});
  }

  licenses() {
    return this.core.call('list_licenses', {});
  }

  /** @param {string} name */
  license(name) {
    return this.core.call('get_license', { name });
  }

  async knownUpdate() {
    this.#takeUpdate(await this.core.call('get_update', {}));
  }

  async checkUpdate() {
    this.#takeUpdate(await this.core.call('check_update', {}));
  }

  async downloadUpdate() {
    this.#takeUpdate(await this.core.call('download_update', {}));
  }

  /** @param {import('../types/bridge.js').UpdateReport | undefined} report */
  #takeUpdate(report) {
    if (report) this.core.store.update.value = report;
  }

  /** @param {import('../types/bridge.js').PlaceName} place */
  async openPlace(place) {
    await this.core.call('open_place', { place });
  }

  /** @param {import('../types/bridge.js').SettingsReport | undefined} report */
  #take(report) {
    if (report) this.core.store.settings.value = report;
  }
}
