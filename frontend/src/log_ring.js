/**
 * The last lines of the log, bounded. Lines are numbered by the app: what it could not send shows as a gap, and what
 * comes twice, from the history and as news, is taken once.
 *
 * @typedef {import('./types/bridge.js').LogLine} LogLine
 * @typedef {import('./types/bridge.js').LogLines} LogLines
 * @typedef {{ skipped: number, lines: LogLine[] }} LogNews
 */
import { signal } from '@preact/signals-core';

export const KEPT_LINES = 5000;
// Dropping the oldest moves all the others, so it is done for many at once.
const SLACK = 1000;

export class LogRing {
  constructor() {
    /** @type {LogLine[]} */
    this.lines = [];
    /** The number of the line that comes next; null before the first. @type {number | null} */
    this.next = null;
    /** @type {import('@preact/signals-core').Signal<LogNews>} What was added last. */
    this.news = signal({ skipped: 0, lines: [] });
  }

  /** @param {LogLines} batch */
  add({ first, lines }) {
    const expected = this.next ?? first;
    const fresh = lines.slice(Math.max(0, expected - first));
    this.next = Math.max(expected, first + lines.length);
    if (!fresh.length) return;
    this.lines.push(...fresh);
    if (this.lines.length > KEPT_LINES + SLACK) this.lines.splice(0, this.lines.length - KEPT_LINES);
    this.news.value = { skipped: Math.max(0, first - expected), lines: fresh };
  }
}
