/**
 * Changes that follow each other faster than they are answered. Each builds on all before it, whatever is pushed about
 * the earlier ones meanwhile, and those of one thing are sent one after the other.
 */
export class Changes {
  constructor() {
    /** @type {Map<string, Promise<unknown>>} The last change of each thing that is under way. */
    this.last = new Map();
    /** @type {Map<string, object>} What each will be when all of its changes are made. */
    this.whole = new Map();
  }

  /**
   * Say what a thing will be after this change and those under way.
   * @template {object} T @param {string} key @param {T} now @param {Partial<T>} change @returns {T}
   */
  onTop(key, now, change) {
    const whole = { ...(/** @type {T} */ (this.whole.get(key) ?? now)), ...change };
    this.whole.set(key, whole);
    return whole;
  }

  /**
   * Send a change when the ones before it have been answered.
   * @template T @param {string} key @param {() => Promise<T>} send @returns {Promise<T>}
   */
  async send(key, send) {
    const mine = (this.last.get(key) ?? Promise.resolve()).then(send, send);
    this.last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.last.get(key) === mine) {
        this.last.delete(key);
        this.whole.delete(key);
      }
    }
  }

  /** Wait until every change that is under way now has been answered. */
  async settled() {
    await Promise.allSettled(this.last.values());
  }
}
