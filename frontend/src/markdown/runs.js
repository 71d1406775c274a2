/**
 * The blocks of an answer on the page, in runs of some that the browser may skip together while they are out of sight.
 *
 * A browser looks at everything that it may skip once per frame, so a long answer of blocks that each may be skipped
 * costs more the longer it grows. Invariant: where runs begin depends on the blocks alone, not on when they came.
 */

const BLOCKS = 8;
const HEADING = /^H[1-6]$/;

export class Runs {
  /** @param {Element} host  Its children belong to this. */
  constructor(host) {
    this.host = host;
    /** @type {Element[]} Blocks that are final. */
    this.settled = [];
    /** @type {Element[]} What stands after them now. */
    this.open = [];
    /** @type {Element | null} */
    this.last = null;
    this.room = 0;
  }

  /** `settled` go after the settled blocks, and `open` are what stands after them now. @param {Element[]} settled @param {Element[]} open */
  show(settled, open) {
    for (const block of this.open) block.remove();
    for (const block of settled) {
      this.#run().append(block);
      this.room--;
    }
    this.settled.push(...settled);
    this.open = open;
    if (open.length) this.#run().append(...open);
    else if (this.last && !this.last.firstChild) this.#drop(this.last);
  }

  /** @param {number} index @param {Element} block */
  replace(index, block) {
    this.settled[index]?.replaceWith(block);
    this.settled[index] = block;
  }

  clear() {
    this.host.replaceChildren();
    this.settled = [];
    this.open = [];
    this.last = null;
    this.room = 0;
  }

  /** The run that the next block goes to. What a heading stands over is in its run. */
  #run() {
    if (this.last && (this.room > 0 || HEADING.test(this.last.lastElementChild?.tagName ?? ''))) return this.last;
    this.last = document.createElement('div');
    this.last.className = 'run';
    this.host.append(this.last);
    this.room = BLOCKS;
    return this.last;
  }

  /** What was thought to be a block is none, and began a run. @param {Element} run */
  #drop(run) {
    run.remove();
    this.last = this.host.lastElementChild;
    this.room = 0;
  }
}
