/**
 * One place that says when the page is written: at most once per animation frame.
 *
 * A hidden page gets no animation frames, so a timer stands in; an answer then goes on growing in the background.
 */

const HIDDEN_MS = 100;

/** @type {Set<() => void>} */
const waiting = new Set();
let scheduled = false;

function flush() {
  scheduled = false;
  const tasks = [...waiting];
  waiting.clear();
  for (const task of tasks) task();
}

/** Run `task` in the next frame, once however often it is asked for. @param {() => void} task */
export function inNextFrame(task) {
  waiting.add(task);
  if (scheduled) return;
  scheduled = true;
  if (document.hidden) setTimeout(flush, HIDDEN_MS);
  else requestAnimationFrame(flush);
}

// What waits for a frame when the page becomes hidden would wait until it is shown again.
if (typeof document !== 'undefined') {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && scheduled) setTimeout(flush, HIDDEN_MS);
  });
}
