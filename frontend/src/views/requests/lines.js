/** Two bodies line by line: what only the one has, what only the other has, and what both have. */
import { diffLines } from 'diff';

/** Lines that are the same are left out where they are further away from a change than this. */
const CONTEXT = 3;
const MOST_LINES = 2000;

/** @typedef {{ kind: 'same' | 'added' | 'removed' | 'gap', text: string }} Line */

/** JSON as people read it; anything else as it is. @param {string} text */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** To be compared: fields in one order, since JSON has none, and no commas, which come and go with the last one. @param {string} text */
export function sorted(text) {
  try {
    return JSON.stringify(inOrder(JSON.parse(text)), null, 2).replace(/,$/gm, '');
  } catch {
    return text;
  }
}

/** @param {string} before @param {string} after @returns {Line[]} */
export function changes(before, after) {
  /** @type {Line[]} */
  const lines = [];
  for (const part of diffLines(withEnd(before), withEnd(after))) {
    const kind = part.added ? 'added' : part.removed ? 'removed' : 'same';
    for (const text of part.value.replace(/\n$/, '').split('\n')) lines.push({ kind, text });
  }
  return folded(lines).slice(0, MOST_LINES);
}

/** @param {Line[]} lines @returns {Line[]} */
function folded(lines) {
  const near = new Set();
  lines.forEach((line, at) => {
    if (line.kind !== 'same') for (let by = -CONTEXT; by <= CONTEXT; by++) near.add(at + by);
  });
  /** @type {Line[]} */
  const shown = [];
  lines.forEach((line, at) => {
    if (near.has(at)) shown.push(line);
    else if (shown.at(-1)?.kind !== 'gap') shown.push({ kind: 'gap', text: '⋯' });
  });
  return shown;
}

/** The last line is compared like any other. @param {string} text */
const withEnd = (text) => (text.endsWith('\n') ? text : `${text}\n`);

/** @param {any} value @returns {any} */
function inOrder(value) {
  if (Array.isArray(value)) return value.map(inOrder);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, inOrder(value[name])]),
  );
}
