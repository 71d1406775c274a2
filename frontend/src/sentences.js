/**
 * Cuts a stream of text into sentences, for screen readers: they speak what is finished, never token by token.
 */

const LONGEST = 400;

export class Sentences {
  constructor() {
    this.rest = '';
    this.inFence = false;
  }

  /** The sentences that this piece completes, without markdown's marks. @param {string} piece @returns {string[]} */
  push(piece) {
    this.rest += piece;
    const found = [];
    for (;;) {
      const end = this.#end();
      if (end < 0) return found;
      const sentence = this.#spoken(this.rest.slice(0, end));
      this.rest = this.rest.slice(end);
      if (sentence) found.push(sentence);
    }
  }

  /** What is left when the answer ends. @returns {string[]} */
  finish() {
    const sentence = this.#spoken(this.rest);
    this.rest = '';
    return sentence ? [sentence] : [];
  }

  #end() {
    const line = this.rest.indexOf('\n');
    const stop = this.inFence ? -1 : this.rest.search(/[.!?…。！？](?=\s)/);
    if (stop >= 0 && (line < 0 || stop < line)) return stop + 1;
    if (line >= 0) return line + 1;
    return this.rest.length > LONGEST ? LONGEST : -1;
  }

  /** @param {string} text */
  #spoken(text) {
    const line = text.trim();
    if (/^(```|~~~)/.test(line)) {
      this.inFence = !this.inFence;
      return this.inFence ? 'Code.' : '';
    }
    if (this.inFence || /^[\s|:-]*$/.test(line)) return '';
    return line
      .replace(/^(#{1,6}|>|[-*+]|\d+[.)])\s+/, '')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[*`~]+/g, '')
      .replace(/[|]+/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  }
}
