/**
 * Markdown that grows: finished top-level blocks are frozen, only the last one is rendered again.
 *
 * Why that is right: in markdown a line can change only the block that is open when it arrives, so every top-level block
 * but the last is final as soon as *complete* lines say that another has begun. The exception are link references, which
 * may be defined after they are used; those blocks are put right once, at the end.
 *
 * This module knows no DOM. It tells a `sink` what to show; the result is the same however the text was cut into pieces.
 */
import { blockStarts, renderBlocks } from './parser.js';

/**
 * @typedef {object} Sink  Blocks are HTML, one top-level element each.
 * @property {(settled: string[], open: string[]) => void} show
 *   `settled` are final and go after those that were; `open` are what stands after them now.
 * @property {(index: number, html: string) => void} mend  A settled block was wrong.
 */

export class MarkdownStream {
  /** @param {Sink} sink */
  constructor(sink) {
    this.sink = sink;
    this.source = '';
    this.settled = 0;
    this.looked = 0;
    /** @type {Record<string, any>} */
    this.env = {};
    /** @type {string[]} */
    this.frozen = [];
    this.shown = '';
  }

  /** Add text; nothing is shown until `write`. @param {string} piece */
  push(piece) {
    this.source += piece;
  }

  /** Characters that are rendered again with every write. */
  get open() {
    return this.source.length - this.settled;
  }

  /** Show what has come. */
  write() {
    const settled = this.#freezeFinished();
    const open = renderBlocks(this.source.slice(this.settled), this.#scratch()).map((block) => block.html);
    const shown = open.join('');
    if (settled.length || shown !== this.shown) this.sink.show(settled, open);
    this.shown = shown;
  }

  /** Show the whole, final answer. */
  finish() {
    const settled = this.#freezeFinished();
    settled.push(...this.#freeze(this.source.slice(this.settled)));
    this.shown = '';
    this.sink.show(settled, []);
    if (this.env['references'] && Object.keys(this.env['references']).length) this.#mend();
  }

  /** The blocks that have become final since the last time. */
  #freezeFinished() {
    const lineEnd = this.source.lastIndexOf('\n') + 1;
    if (lineEnd <= this.looked) return [];
    this.looked = lineEnd;
    const text = this.source.slice(this.settled, lineEnd);
    const starts = blockStarts(text, this.#scratch());
    const last = starts.at(-1);
    if (starts.length < 2 || last === undefined || last === 0) return [];
    return this.#freeze(text.slice(0, offsetOfLine(text, last)));
  }

  /** @param {string} text  What follows the settled text and is final. @returns {string[]} */
  #freeze(text) {
    const blocks = renderBlocks(text, this.env).map((block) => block.html);
    this.frozen.push(...blocks);
    this.settled += text.length;
    return blocks;
  }

  /** Render all with every reference known, and replace the blocks that come out differently. */
  #mend() {
    renderBlocks(this.source, this.env).forEach((block, index) => {
      if (block.html !== this.frozen[index]) this.sink.mend(index, block.html);
      this.frozen[index] = block.html;
    });
  }

  /** References that an unfinished line seems to define must not be remembered. */
  #scratch() {
    return { references: { ...this.env['references'] } };
  }
}

/** @param {string} text @param {number} line */
function offsetOfLine(text, line) {
  let offset = 0;
  for (let index = 0; index < line; index++) offset = text.indexOf('\n', offset) + 1;
  return offset;
}
