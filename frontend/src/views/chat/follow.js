/**
 * Keeps the end of a growing text in sight, for a reader who is at the end, and never moves one who is not.
 *
 * The size is observed after layout, so following costs no layout of its own. Moving up ends the following however
 * little it is, since a wheel and a touchpad move by a few pixels per frame: as long as those counted as still being at
 * the end, a text that grew meanwhile took the reader back. Growth by itself does not end it, although it, too, widens
 * the distance to the end; neither does what was the end moving up because the text has become shorter.
 */
import { signal } from '@preact/signals-core';

const NEAR = 40;

export class Follow {
  /** @param {HTMLElement} scroller @param {HTMLElement} content */
  constructor(scroller, content) {
    this.scroller = scroller;
    this.atEnd = signal(true);
    this.top = 0;
    this.room = 0;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // The first frame of a smooth movement is less than a pixel, and the text may grow in that frame.
    scroller.addEventListener('wheel', (event) => event.deltaY < 0 && !event.ctrlKey && scroller.scrollTop > 0 && this.leave(), { passive: true });
    const observer = new ResizeObserver(() => {
      if (this.atEnd.peek() || this.#room() <= 0) this.toEnd();
    });
    observer.observe(content);
    observer.observe(scroller);
  }

  toEnd() {
    this.atEnd.value = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop;
    this.room = this.#room();
  }

  /** Stay where the reader is, whatever grows. */
  leave() {
    this.atEnd.value = false;
  }

  /** Go on following, if the reader is at the end. */
  resume() {
    if (this.#room() - this.scroller.scrollTop <= NEAR) this.atEnd.value = true;
  }

  #scrolled() {
    const { scrollTop } = this.scroller;
    const room = this.#room();
    const left = room - scrollTop;
    const cameNear = scrollTop > this.top && left <= NEAR;
    const endCameHere = room < this.room && left <= 1;
    if (cameNear || endCameHere) this.atEnd.value = true;
    else if (scrollTop < this.top - 1 && left > 1) this.atEnd.value = false;
    this.top = scrollTop;
    this.room = room;
  }

  /** How far one can scroll. */
  #room() {
    return this.scroller.scrollHeight - this.scroller.clientHeight;
  }
}
