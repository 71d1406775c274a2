/**
 * Brings the message that a search has found into sight: it is marked for a moment, and the words in it stay marked as
 * long as the search does. Words are marked by ranges and not by elements, so an answer stays as it was rendered.
 *
 * @typedef {import('../../page.js').App} App
 */
import { effect } from '@preact/signals-core';
import { inNextFrame } from '../../frames.js';

const MARKED_MS = 2400;
const MOST_MARKS = 500;
/** What was out of sight gets its size when it is first drawn, and moves what is below it. */
const SETTLES_IN_FRAMES = 6;
const MARKS = 'found';

/**
 * @param {App} app
 * @param {HTMLElement} column
 * @param {(messageId: string) => void} draw  Draw the messages down to this one, and do not stay at the end.
 */
export function mountFound({ store, page }, column, draw) {
  /** @type {import('../../page.js').Found | null} */
  let shown = null;
  effect(() => {
    const found = page.found.value;
    if (found === null) CSS.highlights?.delete(MARKS);
    if (found === shown) return;
    if (found && (store.opening.value || !store.path.value.some(({ id }) => id === found.messageId))) return;
    shown = found;
    if (!found) return;
    draw(found.messageId);
    inNextFrame(() => show(column, found));
  });
}

/** @param {HTMLElement} column @param {import('../../page.js').Found} found */
function show(column, found) {
  const message = /** @type {HTMLElement | null} */ (column.querySelector(`[data-message="${CSS.escape(found.messageId)}"]`));
  if (!message) return;
  const ranges = rangesOf(message, found.words);
  CSS.highlights?.set(MARKS, new Highlight(...ranges));
  const first = ranges[0]?.startContainer.parentElement ?? message;
  let frames = SETTLES_IN_FRAMES;
  const bring = () => {
    first.scrollIntoView({ block: 'center' });
    if (frames-- > 0) requestAnimationFrame(bring);
  };
  bring();
  message.focus({ preventScroll: true });
  message.classList.add('is-found');
  setTimeout(() => message.classList.remove('is-found'), MARKED_MS);
}

/** Where words stand in the text below an element, in its order. @param {HTMLElement} root @param {string[]} words @returns {Range[]} */
function rangesOf(root, words) {
  const wanted = words.map((word) => word.toLowerCase()).filter(Boolean);
  const ranges = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && ranges.length < MOST_MARKS) {
    const node = /** @type {Text} */ (walker.currentNode);
    const content = node.data.toLowerCase();
    // Some letters change their length with their case, and a place in one text is then none in the other.
    if (content.length !== node.data.length || node.parentElement?.closest('.visually-hidden, .stats, button')) continue;
    for (const word of wanted) {
      for (let at = content.indexOf(word); at >= 0; at = content.indexOf(word, at + word.length)) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
    }
  }
  return ranges.sort((a, b) => a.compareBoundaryPoints(Range.START_TO_START, b));
}
