/** What each line is called, its colour, and its value under the cursor, or the latest. */
import { html, nothing } from 'lit-html';
import { keyOf, nearest } from './history.js';
import { told } from './units.js';

/** @typedef {import('./cards.js').Line} Line @typedef {import('./source.js').MetricsSource} MetricsSource */

// Dots are rare: the latest one counts for a while. A line that has ended is not told as if it had not.
const DOTS_COUNT_FOR = 1e9;

/** @param {Line[]} lines @param {MetricsSource} source @returns {{ line: Line, value: string }[]} */
export function values(lines, source) {
  const history = source.history.value;
  const row = source.cursor.value ?? (history?.times.length ?? 0) - 1;
  const series = new Map(history?.series.map((one) => [keyOf(one), one]));
  return lines.map((line) => {
    const within = line.dots && source.cursor.value === null ? DOTS_COUNT_FOR : 0;
    const known = (/** @type {string} */ key) => nearest(series.get(key)?.values ?? [], row, within);
    return { line, value: told(line.unit, known(line.key), line.of === undefined ? null : known(line.of)) };
  });
}

/** @param {Line[]} lines @param {MetricsSource} source */
export const legend = (lines, source) => html`<ul class="metrics-legend">
  ${values(lines, source).map(({ line, value }) =>
    line.quiet ? nothing : html`<li><span class=${`swatch is-hue-${line.hue} ${line.dots ? 'is-dot' : ''}`}></span><span class="legend-name">${line.label}</span><span class="legend-value">${value}</span></li>`,
  )}
</ul>`;
