/**
 * A list of lines that grows at its end: bounded, and followed for a reader who is at the end.
 *
 * Lines are added to the page directly, since a template of a thousand lines would be compared as a whole for each new
 * one. A row is made of text alone, so nothing in a line can act.
 */
import { html, nothing, render } from 'lit-html';
import { text } from '../i18n/index.js';
import { keep } from '../render.js';
import { Follow } from '../views/chat/follow.js';
import { icon } from './icon.js';

const MOST_ROWS = 1000;

export class LineList {
  /** @param {HTMLElement} place @param {string} label */
  constructor(place, label) {
    place.classList.add('lines-place');
    render(
      html`<div class="lines" tabindex="0" role="log" aria-live="off" aria-label=${label}><ol></ol></div>
        <div class="lines-jump"></div>`,
      place,
    );
    const scroller = /** @type {HTMLElement} */ (place.querySelector('.lines'));
    this.rows = /** @type {HTMLOListElement} */ (place.querySelector('ol'));
    /** @type {HTMLElement[]} */
    this.waiting = [];
    this.follow = new Follow(scroller, this.rows);
    const jump = /** @type {HTMLElement} */ (place.querySelector('.lines-jump'));
    keep(jump, () => (this.follow.atEnd.value ? nothing : this.#pill()));
  }

  /** Add rows with the next frame, however many times until then. @param {HTMLElement[]} rows */
  add(rows) {
    if (!this.waiting.length) requestAnimationFrame(() => this.#addWaiting());
    this.waiting = [...this.waiting, ...rows].slice(-MOST_ROWS);
  }

  #addWaiting() {
    const rows = this.waiting;
    this.waiting = [];
    if (!rows.length) return;
    this.rows.querySelector('.is-empty')?.remove();
    const following = this.follow.atEnd.peek();
    this.rows.append(...rows);
    // A reader who has scrolled up is not moved by what goes at the top, up to a point.
    const most = following ? MOST_ROWS : 2 * MOST_ROWS;
    while (this.rows.children.length > most) this.rows.firstElementChild?.remove();
    // At once: what goes at the top moves the rest up, which would look like a reader who scrolls.
    if (following) this.follow.toEnd();
  }

  /** @param {HTMLElement[]} rows */
  replace(rows) {
    this.waiting = [];
    this.rows.replaceChildren(...rows.slice(-MOST_ROWS));
    this.follow.toEnd();
  }

  #pill() {
    return html`<button type="button" class="jump" @click=${() => this.follow.toEnd()}>${icon('arrow-down')}${text.jumpToLatest}</button>`;
  }
}

/** A row of one text. @param {string} content @param {string} [kind] */
export function lineRow(content, kind = '') {
  const row = document.createElement('li');
  row.className = kind;
  row.textContent = content;
  return row;
}
