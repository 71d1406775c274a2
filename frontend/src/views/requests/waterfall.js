/**
 * Where the time of a request went: one bar for a row of the list, and one line for each phase in the overview.
 *
 * @typedef {import('../../types/bridge.js').RequestSummary} RequestSummary
 * @typedef {import('../../types/bridge.js').Phase} Phase
 */
import { html, nothing, svg } from 'lit-html';
import { duration } from '../../format.js';
import { text } from '../../i18n/index.js';

const WIDTH = 1000;

/** @param {RequestSummary} request */
const whole = (request) => Math.max(1e-6, request.phases.at(-1)?.end_ms ?? 0);

/** @param {Phase} phase @param {number} total */
const bar = (phase, total) => svg`<rect
  class=${`phase-${phase.kind}`}
  x=${(phase.start_ms / total) * WIDTH}
  y="0"
  width=${Math.max(((phase.end_ms - phase.start_ms) / total) * WIDTH, 4)}
  height="1"
></rect>`;

/** @param {RequestSummary} request */
export const tinyWaterfall = (request) => html`<svg
  class="waterfall is-tiny"
  viewBox="0 0 1000 1"
  preserveAspectRatio="none"
  aria-hidden="true"
>${request.phases.map((phase) => bar(phase, whole(request)))}</svg>`;

/** @param {RequestSummary} request */
export function waterfall(request) {
  if (!request.phases.length) return nothing;
  const total = whole(request);
  return html`<ol class="phases">
    ${request.phases.map(
      (phase) => html`<li class="phase">
        <span class="phase-name"><span class=${`phase-key phase-${phase.kind}`}></span>${text.requests.phases[phase.kind]}</span>
        <svg class="waterfall" viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true">${bar(phase, total)}</svg>
        <span class="phase-time">${duration(phase.end_ms - phase.start_ms)}</span>
      </li>`,
    )}
  </ol>`;
}
