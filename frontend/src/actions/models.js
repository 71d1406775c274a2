/** Models: made known, set, loaded and unloaded. */
import { BridgeError } from '../bridge.js';

/**
 * @typedef {import('../types/bridge.js').ModelInfo} ModelInfo
 * @typedef {Pick<ModelInfo, 'context_length' | 'gpu_layers' | 'threads' | 'keep_alive_s'>} ModelSettings
 */

export class Models {
  /** @param {import('./core.js').Core} core @param {import('./conversations.js').Conversations} conversations */
  constructor(core, conversations) {
    this.core = core;
    this.conversations = conversations;
  }

  /** By a path that somebody wrote. @param {string} path @returns {Promise<BridgeError | null>} what was wrong */
  async add(path) {
    try {
      this.#chosen(await this.core.bridge.invoke('add_model_file', { path }));
      return null;
    } catch (error) {
      if (error instanceof BridgeError) return error;
      throw error;
    }
  }

  /** By the native dialog. */
  async choose() {
    return this.#chosen(await this.core.call('choose_model_file', {}));
  }

  /** @param {ModelInfo | null | undefined} model */
  #chosen(model) {
    if (!model) return false;
    this.core.store.models.value = [...this.core.store.models.value.filter((one) => one.alias !== model.alias), model];
    void this.conversations.change({ model: model.alias });
    return true;
  }

  /** All fields are set together. @param {string} alias @param {Partial<ModelSettings>} change */
  async change(alias, change) {
    const before = this.core.store.models.value.find((one) => one.alias === alias);
    if (!before) return;
    const { context_length, gpu_layers, threads, keep_alive_s } = before;
    const key = `model ${alias}`;
    const whole = this.core.changes.onTop(key, { context_length, gpu_layers, threads, keep_alive_s }, change);
    this.#put({ ...before, ...whole });
    const model = await this.core.changes.send(key, () => this.core.call('change_model', { alias, ...whole }));
    if (!model) this.#put(before);
  }

  /** @param {ModelInfo} model */
  #put(model) {
    this.core.store.models.value = this.core.store.models.value.map((one) => (one.alias === model.alias ? model : one));
  }

  /** @param {string} alias */
  async load(alias) {
    await this.core.call('start_model', { alias });
  }

  /** @param {string} alias */
  async unload(alias) {
    await this.core.call('stop_model', { alias });
  }

  /** @param {string} alias */
  async log(alias) {
    return this.core.call('get_server_log', { alias });
  }
}
