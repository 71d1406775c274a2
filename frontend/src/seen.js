/** Whether somebody can see a view: it is the one that is shown, and its page is not hidden. */
import { computed, signal } from '@preact/signals-core';

/** @typedef {import('@preact/signals-core').ReadonlySignal<boolean>} Shown */

const visible = signal(!document.hidden);
document.addEventListener('visibilitychange', () => (visible.value = !document.hidden));

/** @param {Shown} shown @returns {Shown} */
export const seen = (shown) => computed(() => shown.value && visible.value);
