/**
 * Puts a markdown stream on the page. Writes are as far apart as they are costly, so that a growing answer takes about an
 * eighth of the main thread: at most thirty a second, five while a long block is open. Each replaces only the nodes of
 * the last block.
 */
import { afterThisFrame, inNextFrame } from '../frames.js';
import { decorate } from './decorate.js';
import { drawMath } from './math.js';
import { cleanAnswer } from './sanitize.js';
import { MarkdownStream } from './stream.js';

const LONG_TAIL = 8 * 1024;
const EVERY_MS = 30;
const SLOWEST_MS = 250;
const SHARE = 8;
const LONG_TAIL_EVERY_MS = 200;

export class MarkdownView {
  /** @param {Element} host  Its children belong to this view. */
  constructor(host) {
    this.host = host;
    /** @type {ChildNode[][]} */
    this.frozen = [];
    /** @type {ChildNode[]} */
    this.tail = [];
    this.pending = false;
    this.finished = false;
    this.stream = new MarkdownStream({
      freeze: (html) => this.#freeze(html),
      tail: (html) => this.#replaceTail(html),
      mend: (index, html) => this.#mend(index, html),
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
    this.host.replaceChildren();
    this.frozen = [];
    this.tail = [];
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

  /** @param {string} html */
  #freeze(html) {
    const nodes = this.#nodes(html);
    const before = this.tail[0] ?? null;
    for (const node of nodes) this.host.insertBefore(node, before);
    this.frozen.push(nodes);
    // What was the tail is part of what has just been frozen.
    this.#replaceTail('');
  }

  /** @param {string} html */
  #replaceTail(html) {
    for (const node of this.tail) node.remove();
    this.tail = html ? this.#nodes(html) : [];
    this.host.append(...this.tail);
  }

  /** @param {number} index @param {string} html */
  #mend(index, html) {
    const old = this.frozen[index] ?? [];
    const nodes = this.#nodes(html);
    old[0]?.before(...nodes);
    for (const node of old) node.remove();
    this.frozen[index] = nodes;
  }

  /** @param {string} html @returns {ChildNode[]} */
  #nodes(html) {
    const fragment = cleanAnswer(html);
    decorate(fragment);
    const nodes = [...fragment.children];
    queueMicrotask(() => nodes.forEach((node) => node.parentNode && drawMath(node)));
    return nodes;
  }
}
