/** The way in for other programs: addresses, names, keys. What a form gets wrong is returned to it, not shown as a notice. */
import { BridgeError } from '../bridge.js';
import { text } from '../i18n/index.js';

/**
 * @typedef {import('../types/bridge.js').UserAlias | import('../types/bridge.js').ApiModel | import('../types/bridge.js').FallbackAlias} Alias
 * @typedef {import('../types/bridge.js').CreateApiKey} KeyTerms
 */

export class Gateway {
  /** @param {import('./core.js').Core} core */
  constructor(core) {
    this.core = core;
  }

  async load() {
    const { store } = this.core;
    const [state, aliases, keys] = await Promise.all([
      this.core.call('get_gateway', {}),
      this.core.call('list_aliases', {}),
      this.core.call('list_api_keys', {}),
      this.look(),
    ]);
    if (state !== undefined) store.gateway.value = state;
    if (aliases) store.aliases.value = aliases;
    if (keys) store.apiKeys.value = keys;
  }

  /** See how what is elsewhere does. Asked again and again, so a failure is not told. */
  async look() {
    try {
      this.core.store.aliasConditions.value = await this.core.bridge.invoke('get_alias_conditions', {});
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
    }
  }

  /**
   * @param {Alias} alias @param {string | null} key @param {string | null} former
   * @param {number | null} [place] among all of them, for one that comes back
   * @returns {Promise<BridgeError | null>} what was wrong
   */
  async saveAlias(alias, key, former, place = null) {
    try {
      const saved = await this.core.bridge.invoke('save_alias', { alias, key, former, place });
      for (const notice of saved.notices) this.core.notify(notice);
    } catch (error) {
      if (error instanceof BridgeError) return error;
      throw error;
    }
    await this.load();
    return null;
  }

  /** A remote server loses its key for good, so only the others can be taken back. @param {Alias} alias */
  async removeAlias(alias) {
    const place = (this.core.store.aliases.value ?? []).findIndex(({ name }) => name === alias.name);
    const removed = await this.core.call('delete_alias', { name: alias.name });
    if (!removed) return;
    for (const notice of removed.notices) this.core.notify(notice);
    const undo = { label: text.undo, run: () => void this.#restore(alias, place < 0 ? null : place) };
    this.core.notify(text.gateway.removed(alias.name), alias.type === 'api' ? undefined : undo);
    await this.load();
  }

  /** @param {Alias} alias @param {number | null} place */
  async #restore(alias, place) {
    const wrong = await this.saveAlias(alias, null, null, place);
    if (wrong) this.core.notify(wrong.message);
  }

  /** @param {KeyTerms} terms @returns {Promise<import('../types/bridge.js').NewApiKey | BridgeError>} */
  async createKey(terms) {
    try {
      const made = await this.core.bridge.invoke('create_api_key', terms);
      await this.load();
      return made;
    } catch (error) {
      if (error instanceof BridgeError) return error;
      throw error;
    }
  }

  /** @param {string} name */
  async revokeKey(name) {
    if (await this.core.call('revoke_api_key', { name })) await this.load();
  }
}
