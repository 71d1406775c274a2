/** Servers: started, stopped, looked at; and the log. */

/** @typedef {import('../types/bridge.js').ServerOutput} ServerOutput */

export class Servers {
  /** @param {import('./core.js').Core} core */
  constructor(core) {
    this.core = core;
    this.watching = false;
  }

  /** @param {string} alias */
  async start(alias) {
    await this.core.call('start_model', { alias });
  }

  /** Whatever it does. @param {string} alias */
  async stop(alias) {
    await this.core.call('stop_model', { alias });
  }

  /** Once nobody needs it. @param {string} alias */
  async unload(alias) {
    await this.core.call('unload_model', { alias });
  }

  /** @param {string} alias */
  async restart(alias) {
    await this.core.call('restart_model', { alias });
  }

  /** Nothing is said when it fails: the next change asks again. @param {string} alias */
  async details(alias) {
    return this.core.bridge.invoke('get_server_details', { alias }).catch(() => undefined);
  }

  /** What it wrote after what is known. @param {string} alias @param {ServerOutput | null} known */
  async output(alias, known) {
    const { generation, written } = known ?? { generation: 0, written: 0 };
    return this.core.bridge.invoke('get_server_output', { alias, generation, written }).catch(() => undefined);
  }

  /** New lines of the log come as long as somebody watches. @param {boolean} watching */
  async watchLog(watching) {
    this.watching = watching;
    const told = await this.core.bridge.invoke('watch_logs', { watching }).catch(() => undefined);
    if (!told) return;
    this.core.store.logPath.value = told.path;
    if (watching) this.core.store.log.add(told.history);
  }

  /** A snapshot means that the app knows nothing of what this page watched. */
  async watchLogAgain() {
    if (this.watching) await this.watchLog(true);
  }

  async openLogFile() {
    await this.core.call('open_log_file', {});
  }
}
