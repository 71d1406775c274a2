/** What every kind of act needs: the way to the Python side, the store, and somebody to tell what failed. */
import { BridgeError } from '../bridge.js';
import { Changes } from '../changes.js';

/**
 * @typedef {import('../bridge.js').Bridge} Bridge
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../types/bridge.js').Commands} Commands
 * @typedef {(message: string, action?: { label: string, run: () => void }) => void} Notify
 */

export class Core {
  /** @param {Bridge} bridge @param {Store} store @param {Notify} notify */
  constructor(bridge, store, notify) {
    this.bridge = bridge;
    this.store = store;
    this.notify = notify;
    this.changes = new Changes();
  }

  /**
   * Call a command, and say so when it fails.
   * @template {keyof Commands} Name
   * @param {Name} name @param {Commands[Name]['args']} args @returns {Promise<Commands[Name]['result'] | undefined>}
   */
  call(name, args) {
    return this.tell(this.bridge.invoke(name, args));
  }

  /** Wait for a command; say so when it fails. @template T @param {Promise<T>} promise @returns {Promise<T | undefined>} */
  async tell(promise) {
    try {
      return await promise;
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      // The banner and the page for old keys say these already.
      if (error.code !== 'unreachable' && error.status !== 401) this.notify(error.message);
      else if (this.store.link.value === 'open') this.notify(error.message);
      return undefined;
    }
  }
}
