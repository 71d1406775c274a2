/** The last minute of a reading, 0 to 1, as a line of 60 points. Gaps stay gaps. */
import { html, svg } from 'lit-html';

const POINTS = 60;
const HEIGHT = 14;

/** @param {(number | null)[]} values */
export function sparkline(values) {
  // One sample is no line, and would be drawn as a stray dot.
  if (values.length < 2) values = [];
  const from = POINTS - values.length;
  let path = '';
  let drawing = false;
  values.forEach((value, index) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const y = (HEIGHT - 1 - Math.min(1, Math.max(0, value)) * (HEIGHT - 2)).toFixed(1);
    path += `${drawing ? 'L' : 'M'}${from + index} ${y}`;
    drawing = true;
  });
  return html`<svg class="sparkline" viewBox="0 0 ${POINTS} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<path d=${path}></path>`}
  </svg>`;
}
