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

const after = new MessageChannel();
/** @type {(() => void)[]} */
const afterwards = [];
after.port1.onmessage = () => {
  for (const task of afterwards.splice(0)) task();
};

/** Run `task` once the frame that is being made has been laid out and painted. @param {() => void} task */
export function afterThisFrame(task) {
  if (!afterwards.length) after.port2.postMessage(null);
  afterwards.push(task);
}

// What waits for a frame when the page becomes hidden would wait until it is shown again.
if (typeof document !== 'undefined') {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && scheduled) setTimeout(flush, HIDDEN_MS);
  });
}
