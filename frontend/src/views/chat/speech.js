/**
 * Speaks the growing answer to screen readers, sentence by sentence.
 *
 * Nobody can listen as fast as a fast model writes, and every change of a live region costs the page a layout and each
 * screen reader a message: so what is finished waits for the next second, unless a second has passed without any.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect } from '@preact/signals-core';
import { Sentences } from '../../sentences.js';

const KEPT = 20;
const EVERY_MS = 1000;

/** @param {HTMLElement} region @param {App} app */
export function mountSpeech(region, { store }) {
  const speaker = new Speaker(region);
  effect(() => {
    const message = store.answeringHere.value;
    const live = message && store.live.value.get(message.id);
    if (!live) return undefined;
    const sentences = new Sentences();
    speaker.clear();
    sentences.push(live.text);
    const stop = live.listen((part, piece) => {
      if (part === 'text') speaker.speak(sentences.push(piece));
    });
    return () => {
      stop();
      speaker.speak(sentences.finish());
    };
  });
}

/** Writes sentences into a live region, all that have come in a second at once. */
class Speaker {
  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
    /** @type {string[]} */
    this.found = [];
    this.writtenAt = -Infinity;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /** @param {string[]} sentences */
  speak(sentences) {
    if (!sentences.length) return;
    this.found.push(...sentences);
    this.timer ??= setTimeout(() => this.#write(), Math.max(0, this.writtenAt + EVERY_MS - performance.now()));
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.found = [];
    this.region.replaceChildren();
  }

  #write() {
    const lines = this.found.map((sentence) => {
      const line = document.createElement('p');
      line.textContent = sentence;
      return line;
    });
    this.region.append(...lines);
    for (let spare = this.region.childElementCount - Math.max(KEPT, lines.length); spare > 0; spare--) this.region.firstElementChild?.remove();
    this.found = [];
    this.timer = undefined;
    this.writtenAt = performance.now();
  }
}
