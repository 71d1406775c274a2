/** Numbers, sizes and times as people read them: always with a unit, separators in large numbers, memory in GB. */

/** As many letters of a name as a sentence has room for. */
const NAME = 80;
/** As many letters of a name as stay where its middle is cut. */
const END = 10;

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-US', { hour: 'numeric', minute: '2-digit' });
const exactClock = new Intl.DateTimeFormat('en-US', { hour: 'numeric', minute: '2-digit', second: '2-digit' });
const relative = new Intl.RelativeTimeFormat('en-US', { numeric: 'auto' });
const seconds24 = new Intl.DateTimeFormat('en-US', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const letter = new Intl.Segmenter('en-US', { granularity: 'grapheme' });
const day = new Intl.DateTimeFormat('en-US', { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number} value */
export const decimal = (value) => tenths.format(value);

/** Tokens per second: tenths matter only where they are a noticeable part. @param {number} value */
export const speed = (value) => (value < 100 ? decimal(value) : count(value));

/** @param {number} bytes */
export const gigabytes = (bytes) => tenths.format(bytes / 1024 ** 3);

/** A file's size: GB with one decimal, MB for what is smaller. @param {number} bytes */
export const fileSize = (bytes) => (bytes >= 0.1 * 1024 ** 3 ? `${gigabytes(bytes)} GB` : `${tenths.format(bytes / 1024 ** 2)} MB`);

/** A limit, which is a round number of MB. @param {number} bytes */
export const megabytes = (bytes) => `${whole.format(bytes / 1024 ** 2)} MB`;

/** The size of what may be small: bytes, KB, or as `fileSize`. @param {number} bytes */
export function smallSize(bytes) {
  if (bytes < 1000) return `${whole.format(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
  return bytes < 1000 * 1024 ? `${tenths.format(bytes / 1024)} KB` : fileSize(bytes);
}

/** A name where it may be cut: what may be left out, and the end, which is kept. A short name is not taken apart. @param {string} name */
export function halves(name) {
  const letters = Array.from(letter.segment(name), ({ segment }) => segment);
  if (letters.length <= 2 * END) return [name, ''];
  return [letters.slice(0, -END).join(''), letters.slice(-END).join('')];
}

/** A stranger's name for a sentence: nothing in it that cannot be seen, and not the whole of a long one. @param {string} name */
export function visible(name) {
  const shown = [...name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')];
  return shown.length > NAME ? `${shown.slice(0, NAME - 1).join('')}…` : shown.join('');
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${whole.format(ms)} ms`;
  if (ms < 60_000) return `${tenths.format(ms / 1000)} s`;
  return `${whole.format(Math.floor(ms / 60_000))} min ${whole.format(Math.round((ms % 60_000) / 1000))} s`;
}

/** How long something has lasted, as exactly as anybody asks. @param {number} seconds */
export function lasting(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${whole.format(Math.floor(seconds))} s`;
  if (minutes < 60) return `${whole.format(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${whole.format(Math.floor(hours / 24))} d ${hours % 24} h`;
}

/** @param {number} seconds  Since the epoch. */
export const dateAndTime = (seconds) => day.format(new Date(seconds * 1000));

/** A span that goes on, in whole units. @param {number} seconds */
export function span(seconds) {
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${whole.format(days)} d ${(hours ?? 0) % 24} h`;
  if (hours) return `${hours} h ${(minutes ?? 0) % 60} min`;
  return minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}

/** To the second, with 24 hours: for lines that stand under each other. @param {number} seconds  Since the epoch. */
export const clockTime = (seconds) => seconds24.format(new Date(seconds * 1000));

/** @param {number} seconds  Since the epoch. */
export const timeOfDay = (seconds) => clock.format(new Date(seconds * 1000));

/** @param {number} seconds  Since the epoch. */
export const timeWithSeconds = (seconds) => exactClock.format(new Date(seconds * 1000));

/** Which day that was, as people say it. @param {number} seconds  Since the epoch. @param {Date} [now] */
export function daysAgo(seconds, now = new Date()) {
  const then = new Date(seconds * 1000);
  const midnights = [now, then].map((day) => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()));
  return relative.format(Math.round(((midnights[1] ?? 0) - (midnights[0] ?? 0)) / 86_400_000), 'day');
}

/** @param {number} seconds  Since the epoch. @param {Date} [now] @returns {'today' | 'yesterday' | 'earlier'} */
export function dayGroup(seconds, now = new Date()) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const before = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (seconds * 1000 >= midnight.getTime()) return 'today';
  return seconds * 1000 >= before.getTime() ? 'yesterday' : 'earlier';
}
