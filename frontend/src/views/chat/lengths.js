/** What fits where it is shown: a question that would fill the window by itself is folded, a thought is cut to its end. */

const LINES = 24;
const LETTERS = 2400;
/** As many letters as one line has room for. */
const LINE = 110;

/** @param {string} content */
export const isLong = (content) => content.length > LETTERS || content.split('\n', LINES + 1).length > LINES;

/** The last line of a text, or as many of its last words as fit on one. @param {string} thought */
export function endOf(thought) {
  const line = thought.trimEnd().split('\n').at(-1) ?? '';
  if (line.length <= LINE) return line;
  const end = line.slice(-LINE);
  return `… ${end.slice(end.indexOf(' ') + 1)}`;
}
