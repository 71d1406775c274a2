/**
 * An answer while it streams. Its text does not go through the store's signals: whoever shows it listens here and writes
 * to the page once per frame, so that two thousand tokens a second cost no template.
 *
 * @typedef {import('./types/bridge.js').ChatFrame} ChatFrame
 * @typedef {import('./types/bridge.js').Progress} Progress
 * @typedef {'text' | 'reasoning'} Part
 */
import { signal } from '@preact/signals-core';

const RATE_EVERY_MS = 250;

export class LiveAnswer {
  /** @param {() => number} now  Milliseconds. */
  constructor(now = () => performance.now()) {
    this.text = '';
    this.reasoning = '';
    this.startedAt = now();
    /** @type {import('@preact/signals-core').Signal<Progress | null>} */
    this.progress = signal(null);
    /** @type {import('@preact/signals-core').Signal<number | null>} Tokens per second. */
    this.rate = signal(null);
    /** Whether there is something to read. */
    this.hasText = signal(false);
    this.hasReasoning = signal(false);
    this.now = now;
    this.rateAt = -Infinity;
    /** @type {Set<(part: Part, piece: string) => void>} */
    this.listeners = new Set();
    /** @type {ChatFrame[] | null} Frames that came before the text that they continue is known. */
    this.early = [];
  }

  /** Say what there is already; frames that came meanwhile follow it. @param {string} text @param {string} reasoning */
  begin(text, reasoning) {
    const early = this.early ?? [];
    this.early = null;
    this.append({ text, reasoning });
    for (const frame of early) this.append(frame);
  }

  /** @param {ChatFrame} frame */
  append(frame) {
    if (this.early) {
      this.early.push(frame);
      return;
    }
    if (frame.progress) this.progress.value = frame.progress;
    if (frame.tokens_per_second && this.now() - this.rateAt >= RATE_EVERY_MS) {
      this.rate.value = frame.tokens_per_second;
      this.rateAt = this.now();
    }
    if (frame.reasoning) this.#grow('reasoning', frame.reasoning);
    if (frame.text) this.#grow('text', frame.text);
  }

  /** @param {Part} part @param {string} piece */
  #grow(part, piece) {
    this[part] += piece;
    for (const listener of this.listeners) listener(part, piece);
    // After the listeners: these signals draw the element that will listen, and it begins with all the text so far.
    (part === 'text' ? this.hasText : this.hasReasoning).value = true;
    this.progress.value = null;
  }

  /** @param {(part: Part, piece: string) => void} listener @returns {() => void} stops listening */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
