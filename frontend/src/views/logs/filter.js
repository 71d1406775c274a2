/**
 * Which lines of the log are shown.
 *
 * @typedef {import('../../types/bridge.js').LogLine} LogLine
 * @typedef {{ level: Level, source: string, query: string }} Filter  `source`: all, app, or engine.
 * @typedef {'debug' | 'info' | 'warning' | 'error'} Level
 */

/** @type {readonly Level[]} */
export const LEVELS = ['debug', 'info', 'warning', 'error'];

/** A level that has no place of its own is worse than an error. @param {string} level */
const rank = (level) => (level === 'critical' ? LEVELS.length : LEVELS.indexOf(/** @type {Level} */ (level)));

/** @param {Filter} filter @returns {(line: LogLine) => boolean} */
export function matcher({ level, source, query }) {
  const least = rank(level);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return (line) => {
    if (rank(line.level) < least || (source !== 'all' && line.source !== source)) return false;
    if (!words.length) return true;
    const content = `${line.name} ${line.text}`.toLowerCase();
    return words.every((word) => content.includes(word));
  };
}
