/**
 * Keeps the end of a growing text in sight, for a reader who is at the end, and never moves one who is not.
 *
 * The size is observed after layout, so following costs no layout of its own. Only scrolling up ends the following:
 * growth by itself must not, although it, too, widens the distance to the end.
 */
import { signal } from '@preact/signals-core';

const NEAR = 40;

export class Follow {
  /** @param {HTMLElement} scroller @param {HTMLElement} content */
  constructor(scroller, content) {
    this.scroller = scroller;
    this.atEnd = signal(true);
    this.top = 0;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    const observer = new ResizeObserver(() => {
      if (this.atEnd.peek()) this.toEnd();
    });
    observer.observe(content);
    observer.observe(scroller);
  }

  toEnd() {
    this.atEnd.value = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const near = scrollHeight - scrollTop - clientHeight <= NEAR;
    if (near) this.atEnd.value = true;
    else if (scrollTop < this.top - 1) this.atEnd.value = false;
    this.top = scrollTop;
  }
}
