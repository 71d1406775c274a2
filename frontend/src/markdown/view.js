/**
 * Puts a markdown stream on the page. Writes are as far apart as they are costly, so that a growing answer takes about a
 * tenth of the main thread: at most thirty a second, five while a long block is open. Each replaces only the last block.
 */
import { afterThisFrame, inNextFrame } from '../frames.js';
import { decorate } from './decorate.js';
import { drawMath } from './math.js';
import { Runs } from './runs.js';
import { cleanAnswer } from './sanitize.js';
import { MarkdownStream } from './stream.js';

const LONG_TAIL = 8 * 1024;
const EVERY_MS = 30;
const SLOWEST_MS = 250;
const SHARE = 10;
const LONG_TAIL_EVERY_MS = 200;

export class MarkdownView {
  /** @param {Element} host  Its children belong to this view. */
  constructor(host) {
    this.runs = new Runs(host);
    this.pending = false;
    this.finished = false;
    this.stream = new MarkdownStream({
      show: (settled, open) => this.#show(settled, open),
      mend: (index, html) => this.runs.replace(index, /** @type {Element} */ (elements([html])[0])),
    });
    this.task = () => this.#write();
    this.writtenAt = -Infinity;
    /** What a write costs lately, with the layout and painting that follow, in ms. */
    this.cost = 0;
  }

  /** @param {string} piece */
  push(piece) {
    this.stream.push(piece);
    if (this.pending) return;
    this.pending = true;
    const least = this.stream.open > LONG_TAIL ? LONG_TAIL_EVERY_MS : EVERY_MS;
    const pause = Math.max(least, Math.min(SLOWEST_MS, SHARE * this.cost));
    const wait = pause - (performance.now() - this.writtenAt);
    if (wait > 0) setTimeout(() => inNextFrame(this.task), wait);
    else inNextFrame(this.task);
  }

  /** The answer is complete, and this is its text. @param {string} text */
  finish(text) {
    if (this.finished && this.stream.source === text) return;
    if (this.finished || !text.startsWith(this.stream.source)) this.restart();
    this.stream.push(text.slice(this.stream.source.length));
    this.stream.finish();
    this.finished = true;
  }

  /** Begin again with nothing. */
  restart() {
    this.finished = false;
    this.runs.clear();
    this.stream = new MarkdownStream(this.stream.sink);
  }

  #write() {
    this.pending = false;
    if (this.finished) return;
    const start = performance.now();
    this.writtenAt = start;
    this.stream.write();
    afterThisFrame(() => {
      this.cost = 0.8 * this.cost + 0.2 * (performance.now() - start);
    });
  }

  /** @param {string[]} settled @param {string[]} open */
  #show(settled, open) {
    const all = elements([...settled, ...open]);
    this.runs.show(all.slice(0, settled.length), all.slice(settled.length));
  }
}

/** Blocks as elements that may be shown, cleaned together: each cleaning parses a document. @param {string[]} blocks @returns {Element[]} */
function elements(blocks) {
  const fragment = cleanAnswer(blocks.join(''));
  decorate(fragment);
  const made = [...fragment.children];
  queueMicrotask(() => made.forEach((element) => element.parentNode && drawMath(element)));
  return made;
}
