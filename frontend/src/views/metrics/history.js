/**
 * The hardware's past as the page has it: asked for once, then added to. Pure.
 *
 * Invariants: times only grow; every series is as long as `times`, null where it is not known.
 *
 * @typedef {import('../../types/bridge.js').MetricsHistory} MetricsHistory
 * @typedef {import('../../types/bridge.js').MetricsSeries} MetricsSeries
 * @typedef {import('../../types/bridge.js').Generation} Generation
 * @typedef {(number | null)[]} Values
 */

/** @param {Pick<MetricsSeries, 'quantity' | 'subject'>} series */
export const keyOf = ({ quantity, subject }) => (subject === null ? quantity : `${quantity}/${subject}`);

/** Whether what was asked for as an addition fits; a clock that was set back means that all must be asked for again. @param {MetricsHistory} past @param {MetricsHistory} more */
export const fits = (past, more) => past.range === more.range && more.end >= (past.times.at(-1) ?? 0);

/** The past and what came after it, without what has left its range. @param {MetricsHistory} past @param {MetricsHistory} more @returns {MetricsHistory} */
export function extended(past, more) {
  const added = more.times.length;
  const gone = past.times.findIndex((time) => time >= more.start);
  const from = gone < 0 ? past.times.length : gone;
  const kept = past.times.length - from;
  const earlier = new Map(past.series.map((one) => [keyOf(one), one]));
  const later = new Map(more.series.map((one) => [keyOf(one), one]));
  /** @param {Values | null | undefined} old @param {Values | null | undefined} fresh */
  const joined = (old, fresh) => [...(old ? old.slice(from) : missing(kept)), ...(fresh ?? missing(added))];
  const series = [];
  for (const [key, shape] of new Map([...earlier, ...later])) {
    const [old, fresh] = [earlier.get(key), later.get(key)];
    const values = joined(old?.values, fresh?.values);
    if (!fresh && values.every((value) => value === null)) continue;
    const peaks = old?.peaks || fresh?.peaks ? joined(old?.peaks, fresh?.peaks) : null;
    series.push({ ...shape, values, peaks });
  }
  return {
    ...more,
    times: [...past.times.slice(from), ...more.times],
    series,
    generations: bands([...past.generations, ...more.generations]).filter((one) => one.end > more.start),
  };
}

/** Requests to one model that overlap or touch become one band. @param {Generation[]} generations @returns {Generation[]} */
export function bands(generations) {
  /** @type {Map<string, Generation>} */
  const last = new Map();
  /** @type {Generation[]} */
  const merged = [];
  for (const one of [...generations].sort((a, b) => a.start - b.start)) {
    const former = last.get(one.alias);
    if (former && one.start <= former.end + 1) {
      former.end = Math.max(former.end, one.end);
      continue;
    }
    const band = { ...one };
    last.set(one.alias, band);
    merged.push(band);
  }
  return merged;
}

/** The last value that is known, from a place backwards, if it is not long ago. @param {Values} values @param {number} place @param {number} within */
export function nearest(values, place, within) {
  for (let at = place; at >= Math.max(0, place - within); at--) {
    const value = values[at];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** @param {number} length @returns {Values} */
const missing = (length) => /** @type {Values} */ (Array(length).fill(null));
