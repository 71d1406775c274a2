/** Values and axes in the units that people expect. */
import { count, decimal, fileSize, speed } from '../../format.js';
import { text } from '../../i18n/index.js';

const GB = 1024 ** 3;

/** @type {Record<string, (value: number) => string>} A value in a sentence or a legend. */
const TOLD = {
  percent: (value) => `${count(value)} %`,
  bytes: fileSize,
  celsius: (value) => `${count(value)} °C`,
  watts: (value) => `${count(value)} W`,
  tokens_per_second: (value) => text.tokensPerSecond(speed(value)),
  seconds: (value) => (value < 1 ? `${count(value * 1000)} ms` : `${decimal(value)} s`),
  tokens: (value) => text.tokens(value),
  count: (value) => (Number.isInteger(value) ? count(value) : decimal(value)),
};

/** @type {Record<string, (value: number) => string>} The same beside an axis, where there is little room. */
const MARKED = {
  ...TOLD,
  bytes: (value) => `${Number.isInteger(value / GB) ? count(value / GB) : decimal(value / GB)} GB`,
  tokens: count,
  tokens_per_second: (value) => (value < 10 && !Number.isInteger(value) ? decimal(value) : count(value)),
  seconds: (value) => `${value < 10 && !Number.isInteger(value) ? decimal(value) : count(value)} s`,
};

/** A value, and how much there could be where that is known. @param {string} unit @param {number | null | undefined} value @param {number | null} [of] */
export function told(unit, value, of = null) {
  if (value === null || value === undefined) return text.unknown;
  const tell = TOLD[unit] ?? count;
  return of === null ? tell(value) : text.of((MARKED[unit] ?? count)(value), tell(of));
}

/** @param {string} unit @param {number} value */
export const marked = (unit, value) => (MARKED[unit] ?? count)(value);

/** @type {Record<string, number[]>} */
const STEPS = {
  bytes: [0.1, 0.2, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].map((size) => size * GB),
  count: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  seconds: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600],
};

/** Marks at values that people count in, where that is not what a chart would choose. @param {string} unit */
export const steps = (unit) => STEPS[unit];
