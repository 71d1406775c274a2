/** How the run under way goes, or why the last one did not come to its end. */
import { html, nothing, svg } from 'lit-html';
import { text } from '../../i18n/index.js';

/** @param {import('./source.js').BenchSource} source */
export function progress(source) {
  const now = source.progress.value;
  if (!now) return source.error.value ? html`<p class="bench-error" role="alert">${source.error.value}</p>` : nothing;
  const planned = Math.max(1, now.planned);
  const round = now.rounds ? (now.round - 1) / now.rounds : 0;
  const share = Math.min(1, (now.done + Math.max(0, round)) / planned);
  return html`<section class="bench-progress">
    <p>${now.case ? text.bench.measuring(now.model, now.case.prompt, now.case.streams) : text.bench.loading(now.model)}</p>
    <svg
      class="bench-track"
      viewBox="0 0 1 1"
      preserveAspectRatio="none"
      role="progressbar"
      aria-label=${text.bench.progressLabel}
      aria-valuemin="0"
      aria-valuemax=${planned}
      aria-valuenow=${now.done}
    >
      ${svg`<rect width=${share} height="1"></rect>`}
    </svg>
    <p class="help">${now.case ? text.bench.progress(now.done + 1, planned, now.round, now.rounds) : nothing}</p>
  </section>`;
}
