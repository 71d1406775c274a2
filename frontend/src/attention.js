/**
 * Whether somebody looks closely: the page is visible, and it was touched a moment ago or an answer is being made.
 *
 * The hardware strip moves every second only then, because every change makes the whole window be painted again.
 */
const AWAY_AFTER_MS = 15_000;
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'focus'];

/** @param {(looking: boolean) => void} tell Called whenever it changes. */
export function watchAttention(tell) {
  let looking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const say = (/** @type {boolean} */ now) => {
    if (now === looking) return;
    looking = now;
    tell(now);
  };
  const touched = () => {
    if (document.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(() => say(false), AWAY_AFTER_MS);
    say(true);
  };
  for (const sign of SIGNS) window.addEventListener(sign, touched, { passive: true, capture: true });
  document.addEventListener('visibilitychange', () => (document.hidden ? say(false) : touched()));
  touched();
}
