/**
 * One chart: a uPlot with our colours, units, generation bands and a cursor that all charts share.
 *
 * uPlot draws on a canvas and places its parts through CSSOM, which the content policy allows. Invariant: data goes in by
 * `show` only; a plot is made again when its lines or its colours change, and fed otherwise, also with another range:
 * to make one costs as much as to draw it five times. So every line has its peaks beside it, which may be none.
 *
 * @typedef {import('./cards.js').Plot} PlotShape
 * @typedef {import('./cards.js').Line} Line
 * @typedef {import('./history.js').MetricsHistory} MetricsHistory
 * @typedef {import('./colors.js').Colors} Colors
 * @typedef {import('./history.js').Values} Values
 */
import uPlot from 'uplot';
import { timeOfDay } from '../../format.js';
import { keyOf } from './history.js';
import { marked, steps } from './units.js';

const HEIGHT = 130;
const TIME_AXIS = 28;
const VALUE_AXIS = 52;
const RIGHT_MARGIN = 12;
/** Half of what a time of day takes at the axis. */
const HALF_TIME = 30;
/** What a time of day and some air take. */
const TIME_SPACE = 76;
const DOT = 6;
/** @type {Record<MetricsHistory['range'], number[]>} Seconds between two marks of the time axis. */
const MARKS = { '5m': [60, 120, 300], '1h': [600, 900, 1800, 3600], '24h': [4 * 3600, 6 * 3600, 12 * 3600] };
export const CURSORS = uPlot.sync('metrics');

export class Plot {
  /** @type {uPlot | null} */
  #chart = null;
  #shape = '';
  /** @type {MetricsHistory | null} */
  #history = null;
  /** @type {Colors | null} */
  #colors = null;

  /** @param {HTMLElement} place @param {(row: number | null) => void} onCursor */
  constructor(place, onCursor) {
    this.place = place;
    this.onCursor = onCursor;
    this.times = /** @type {number[]} */ ([]);
  }

  get canvas() {
    return this.#chart?.ctx.canvas ?? null;
  }

  /** @param {PlotShape} shape @param {MetricsHistory} history @param {Colors} colors @param {number} width */
  show(shape, history, colors, width) {
    const identity = JSON.stringify(shape);
    if (history === this.#history && identity === this.#shape && colors === this.#colors && width === this.#chart?.width) return;
    this.#history = history;
    this.times = history.times;
    const series = new Map(history.series.map((one) => [keyOf(one), one]));
    const data = /** @type {uPlot.AlignedData} */ ([history.times, ...this.#columns(shape.lines, series)]);
    if (!this.#chart || identity !== this.#shape || colors !== this.#colors) {
      this.close();
      this.#shape = identity;
      this.#colors = colors;
      this.#chart = new uPlot(this.#options(shape, colors, width), data, this.place);
      // For whoever looks from outside: a canvas does not tell what it shows.
      Object.assign(this.place, { chart: this.#chart });
      return;
    }
    if (this.#chart.width !== width) this.#chart.setSize({ width, height: HEIGHT });
    this.#chart.setData(data);
  }

  /** Put the cursor on a row, or take it away. @param {number | null} row */
  point(row) {
    const at = row === null ? undefined : this.times[row];
    this.#chart?.setCursor({ left: at === undefined ? -10 : this.#chart.valToPos(at, 'x'), top: 10 }, false);
  }

  close() {
    this.#chart?.destroy();
    this.#chart = null;
  }

  /** Means, and behind them the peaks of the lines that may have any. @param {Line[]} lines @param {Map<string, import('./history.js').MetricsSeries>} series */
  #columns(lines, series) {
    const none = this.times.map(() => null);
    const means = lines.map((line) => series.get(line.key)?.values ?? none);
    const peaks = peaked(lines).map((line) => series.get(line.key)?.peaks ?? none);
    return [...means, ...peaks];
  }

  /** @param {PlotShape} shape @param {Colors} colors @param {number} width @returns {uPlot.Options} */
  #options(shape, colors, width) {
    const soft = peaked(shape.lines);
    const left = shape.lines.find((line) => !line.right)?.unit ?? 'percent';
    const right = shape.lines.find((line) => line.right)?.unit;
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      padding: [8, right ? 0 : RIGHT_MARGIN, 0, 0],
      cursor: { sync: { key: CURSORS.key, setSeries: false }, y: false, drag: { x: false, y: false, setScale: false }, points: { size: DOT } },
      hooks: {
        setCursor: [(chart) => this.onCursor(chart.cursor.idx ?? null)],
        drawClear: [(chart) => this.#drawBands(chart, colors.band)],
      },
      scales: {
        x: { time: true, range: () => [this.#history?.start ?? 0, this.#history?.end ?? 1] },
        ...Object.fromEntries(
          [left, ...(right ? [right] : [])].map((unit) => [unit, { auto: true, range: (/** @type {uPlot} */ _chart, /** @type {number} */ _low, /** @type {number} */ high) => [0, top(high, shape.most[unit] ?? 0)] }]),
        ),
      },
      axes: [timeAxis(() => MARKS[this.#history?.range ?? '5m'], colors, right ? VALUE_AXIS : RIGHT_MARGIN), valueAxis(left, 3, colors), ...(right ? [valueAxis(right, 1, colors)] : [])],
      series: [
        {},
        ...shape.lines.map((line) => ({
          scale: line.unit,
          stroke: line.thin ? colors.soft[line.hue] : colors.hues[line.hue],
          width: line.thin ? 1 : 1.5,
          ...(line.dots ? { paths: () => null, points: { show: true, size: DOT, fill: colors.hues[line.hue] ?? '' } } : { points: { show: false } }),
        })),
        ...soft.map((line) => ({ scale: line.unit, stroke: 'transparent', width: 0, points: { show: false } })),
      ],
      bands: soft.map((line, number) => ({ series: /** @type {uPlot.Band.Bounds} */ ([1 + shape.lines.length + number, 1 + shape.lines.indexOf(line)]), fill: colors.soft[line.hue] ?? '' })),
    };
  }

  /** Generations behind the lines, as one shape, so that two at once are not twice as dark. @param {uPlot} chart @param {string} color */
  #drawBands(chart, color) {
    const { left, top: above, width, height } = chart.bbox;
    const { ctx } = chart;
    ctx.save();
    ctx.beginPath();
    for (const one of this.#history?.generations ?? []) {
      const from = Math.max(left, chart.valToPos(one.start, 'x', true));
      const to = Math.min(left + width, Math.max(from + devicePixelRatio, chart.valToPos(one.end, 'x', true)));
      if (to > from) ctx.rect(from, above, to - from, height);
    }
    ctx.fillStyle = color;
    ctx.fill();
    ctx.restore();
  }
}

/** The lines whose peaks are shown, where there are any. @param {Line[]} lines */
const peaked = (lines) => lines.filter((line) => !line.dots && !line.thin);

/** Where a scale ends: at what is expected, or a little above what was seen. @param {number | null} high @param {number} expected */
const top = (high, expected) => (high === null || !(high > expected) ? expected || 1 : high * 1.1);

/**
 * A mark whose time would be cut off at the edge has none.
 * @param {() => number[]} marks  Seconds between two, as the range has it. @param {Colors} colors @param {number} margin  What is free beside the plot. @returns {uPlot.Axis}
 */
const timeAxis = (marks, colors, margin) => ({
  ...axis(colors),
  gap: 8,
  size: TIME_AXIS,
  space: TIME_SPACE,
  incrs: marks,
  values: (chart, splits) => {
    const end = chart.bbox.width / devicePixelRatio + margin - HALF_TIME;
    return splits.map((at) => (chart.valToPos(at, 'x') > end ? '' : timeOfDay(at)));
  },
});

/** @param {string} unit @param {1 | 3} side @param {Colors} colors @returns {uPlot.Axis} */
function valueAxis(unit, side, colors) {
  const incrs = steps(unit);
  const right = side === 1;
  return {
    ...axis(colors),
    scale: unit,
    side,
    size: VALUE_AXIS,
    space: 22,
    ...(right ? { grid: { show: false } } : {}),
    ...(incrs ? { incrs } : {}),
    values: (_chart, splits) => splits.map((value) => marked(unit, value)),
  };
}

/** @param {Colors} colors @returns {uPlot.Axis} */
const axis = (colors) => ({
  stroke: colors.muted,
  font: colors.font,
  gap: 4,
  grid: { stroke: colors.line, width: 1 },
  ticks: { show: false },
});
