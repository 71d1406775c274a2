/**
 * Speaks the growing answer to screen readers, sentence by sentence.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect } from '@preact/signals-core';
import { inNextFrame } from '../../frames.js';
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
    /** @type {string[]} */
    let found = [];
    const write = () => {
      for (const sentence of found.slice(-KEPT)) {
        const line = document.createElement('p');
        line.textContent = sentence;
        region.append(line);
      }
      found = [];
      while (region.childElementCount > KEPT) region.firstElementChild?.remove();
    };
    /** @param {string[]} more */
    const speak = (more) => {
      if (!more.length) return;
      found.push(...more);
      inNextFrame(write);
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
