/**
 * Speaks the growing answer to screen readers, sentence by sentence.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect } from '@preact/signals-core';
import { Sentences } from '../../sentences.js';

const KEPT = 20;

/** @param {HTMLElement} region @param {App} app */
export function mountSpeech(region, { store }) {
  effect(() => {
    const message = store.answering.value;
    const live = message && store.live.value.get(message.id);
    if (!live) return undefined;
    const sentences = new Sentences();
    region.replaceChildren();
    /** @param {string[]} found */
    const speak = (found) => {
      for (const sentence of found) {
        const line = document.createElement('p');
        line.textContent = sentence;
        region.append(line);
      }
      while (region.childElementCount > KEPT) region.firstElementChild?.remove();
    };
    sentences.push(live.text);
    const stop = live.listen((part, piece) => {
      if (part === 'text') speak(sentences.push(piece));
    });
    return () => {
      stop();
      speak(sentences.finish());
    };
  });
}
