/**
 * The cards and their charts: made, fed, pointed at by mouse and keys, and put into one picture.
 *
 * Cards are templates, the charts inside them are not: each keeps its canvas while its card is there. Only what is on
 * the screen or close to it is drawn; a machine with several GPUs and servers has three times as many charts.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('./source.js').MetricsSource} MetricsSource
 * @typedef {import('./cards.js').Card} Card
 */
import { computed, effect, signal } from '@preact/signals-core';
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { timeWithSeconds } from '../../format.js';
import { inNextFrame } from '../../frames.js';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { cardsOf } from './cards.js';
import { readColors } from './colors.js';
import { legend, values } from './legend.js';
import { compose } from './picture.js';
import { Plot } from './plot.js';

const LEAP = 10;
/** How far beyond the edge charts are drawn, so that slow scrolling shows none that is empty. */
const BEYOND = 150;

/** @param {HTMLElement} place @param {HTMLElement} speech @param {App} app @param {MetricsSource} source */
export function mountCharts(place, speech, app, source) {
  /** @type {Map<string, { plot: Plot, element: HTMLElement }>} */
  const plots = new Map();
  const theme = signal(0);
  const size = signal(0);
  const scrolled = signal(0);
  const colors = computed(() => {
    void theme.value;
    void app.store.ui.value.theme;
    return readColors(place);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => (theme.value += 1));
  new ResizeObserver(() => (size.value = place.clientWidth + place.clientHeight)).observe(place);
  place.addEventListener('scroll', () => (scrolled.value = place.scrollTop), { passive: true });

  /** @type {import('@preact/signals-core').Signal<Card[]>} */
  const cards = signal([]);
  effect(() => {
    // What is hidden has no size, and nobody sees it.
    if (!source.looking.value) return;
    const history = source.history.value;
    cards.value = history ? cardsOf(history, app.store.metrics.peek(), source.cores.value) : [];
  });
  keep(place, () => frame(cards.value, source));
  effect(() => {
    const history = source.history.value;
    const shapes = cards.value.flatMap((card) => card.plots);
    const now = colors.value;
    void size.value;
    void scrolled.value;
    if (!history || !source.looking.value) return;
    inNextFrame(() => draw(shapes, history, now));
  });

  /** @param {import('./cards.js').Plot[]} shapes @param {import('./history.js').MetricsHistory} history @param {import('./colors.js').Colors} now @param {number} beyond */
  function draw(shapes, history, now, beyond = BEYOND) {
    const wanted = new Set(shapes.map((shape) => shape.id));
    for (const [id, one] of plots) {
      if (wanted.has(id)) continue;
      one.plot.close();
      plots.delete(id);
    }
    // All sizes are read before anything is written, so the page is laid out once.
    const screen = place.getBoundingClientRect();
    const found = shapes.flatMap((shape) => {
      const element = /** @type {HTMLElement | null} */ (place.querySelector(`[data-plot="${CSS.escape(shape.id)}"]`));
      const box = element?.getBoundingClientRect();
      const isNear = box && box.width && box.bottom > screen.top - beyond && box.top < screen.bottom + beyond;
      return element && isNear ? [{ shape, element, width: element.clientWidth }] : [];
    });
    for (const { shape, element, width } of found) {
      let one = plots.get(shape.id);
      if (one?.element !== element) {
        one?.plot.close();
        one = { plot: new Plot(element, (row) => (source.cursor.value = row)), element };
        plots.set(shape.id, one);
      }
      one.plot.show(shape, history, now, width);
    }
  }

  place.addEventListener('keydown', (event) => {
    const last = (source.history.value?.times.length ?? 0) - 1;
    if (last < 0 || event.target !== place) return;
    const at = source.cursor.value ?? last + 1;
    const step = event.shiftKey ? LEAP : 1;
    /** @type {Record<string, number | null>} */
    const moves = { ArrowLeft: Math.max(0, at - step), ArrowRight: Math.min(last, at + step), Home: 0, End: last, Escape: null };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    source.cursor.value = to;
    for (const { plot } of plots.values()) plot.point(to);
    const time = to === null ? undefined : source.history.value?.times[to];
    const spoken = cards.value.slice(0, 2).flatMap((card) => card.plots.flatMap((plot) => values(plot.lines, source).map(({ line, value }) => (line.quiet ? '' : `${card.title} ${value}`))));
    speech.textContent = time === undefined ? '' : `${timeWithSeconds(time)}: ${spoken.filter(Boolean).join(', ')}`;
  });
  place.addEventListener('blur', () => {
    source.cursor.value = null;
    for (const { plot } of plots.values()) plot.point(null);
  });

  return {
    /** Every chart, one card below the other. @returns {Promise<Blob | null>} */
    picture: async () => {
      const history = source.history.value;
      if (history) draw(cards.value.flatMap((card) => card.plots), history, colors.value, Infinity);
      await null; // uPlot draws in a microtask
      return compose(
        cards.value.map((card) => ({
          title: card.title,
          plots: card.plots.map((shape) => ({ canvas: plots.get(shape.id)?.plot.canvas ?? null, values: values(shape.lines, source) })),
        })),
        colors.value,
      );
    },
  };
}

/** @param {Card[]} cards @param {MetricsSource} source */
function frame(cards, source) {
  const history = source.history.value;
  if (!history) return html`<p class="metrics-empty">${text.metrics.asking}</p>`;
  const young = history.times.length < 2;
  return html`${young ? html`<p class="metrics-empty">${text.metrics.young[history.range]}</p>` : nothing}
  ${repeat(
    cards,
    (card) => card.id,
    (card) => html`<section class="metrics-card" aria-label=${card.title}>
      <header><h2>${card.title}</h2>${card.facts.map((fact) => html`<span class="metrics-fact">${fact}</span>`)}</header>
      ${repeat(
        card.plots,
        (plot) => plot.id,
        (plot) => html`${legend(plot.lines, source)}
          <div class="metrics-plot" data-plot=${plot.id} role="img" aria-label=${`${card.title}: ${values(plot.lines, source).filter(({ line }) => !line.quiet).map(({ line, value }) => `${line.label} ${value}`).join(', ')}`}></div>`,
      )}
      ${card.notes.map((note) => html`<p class="metrics-note">${note}</p>`)}
    </section>`,
  )}`;
}

