/** Bars with their numbers beside them; a thin bar below each is the run that it is compared with. */
import { html, nothing, svg } from 'lit-html';
import { speed } from '../../format.js';
import { change, tendency } from './words.js';

/** @param {string} title @param {string} help @param {import('./figures.js').Bar[]} bars @param {1 | 2 | 3} hue */
export const barChart = (title, help, bars, hue) => html`<section class="bench-card">
  <h2>${title}</h2>
  <p class="help">${help}</p>
  <ul class="bench-bars is-hue-${hue}">
    ${bars.map(
      (bar) => html`<li>
        <span class="bar-label">${bar.label}</span>
        <svg class="bar" viewBox="0 0 1 10" preserveAspectRatio="none" aria-hidden="true">
          ${svg`<rect class="bar-now" width=${bar.share} height=${bar.before === null ? 10 : 6}></rect>`}
          ${bar.before === null ? nothing : svg`<rect class="bar-before" y="7" width=${bar.before} height="3"></rect>`}
        </svg>
        <span class="bar-value">${speed(bar.value)}</span>
        <span class="bar-change is-${tendency(bar.change ?? 0)}">${bar.change === null ? nothing : change(bar.change)}</span>
      </li>`,
    )}
  </ul>
</section>`;
