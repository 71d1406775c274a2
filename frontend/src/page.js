/**
 * What only this page knows: what is open, what is being typed. Not worth a round trip, gone with a reload.
 *
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./actions/index.js').Actions} Actions
 * @typedef {import('./types/bridge.js').SearchHit} SearchHit
 * @typedef {{ id: number, message: string, action?: { label: string, run: () => void } }} Toast
 * @typedef {{ messageId: string, words: string[] }} Found  A message that a search found, and what it found in it.
 * @typedef {{ store: Store, actions: Actions, page: Page }} App
 */
import { signal } from '@preact/signals-core';

export const CHAT = 'chat';
export const METRICS = 'metrics';
export const SERVERS = 'servers';
export const REQUESTS = 'requests';
export const LOGS = 'logs';
export const BENCH = 'bench';
export const GATEWAY = 'gateway';
export const SETTINGS = 'settings';
const TOAST_MS = 8000;
const MOST_TOASTS = 3;

export class Page {
  constructor() {
    /** The view that is shown, by its name. */
    this.view = signal(CHAT);
    /** Whether the list lies over the view, where there is no room beside it. */
    this.drawer = signal(false);
    this.panel = signal(false);
    /** @type {import('@preact/signals-core').Signal<string | null>} The message being edited. */
    this.editing = signal(null);
    /** @type {Map<string, string>} What was written into editors and is not sent, by message; nothing is drawn by it. */
    this.edits = new Map();
    /** @type {import('@preact/signals-core').Signal<string | null>} The message whose menu was opened last. */
    this.menu = signal(null);
    /** @type {import('@preact/signals-core').Signal<{ id: string, where: 'list' | 'header' } | null>} */
    this.renaming = signal(null);
    /** Whether the list shows what was deleted. */
    this.trash = signal(false);
    this.query = signal('');
    /** @type {import('@preact/signals-core').Signal<SearchHit[] | null>} */
    this.hits = signal(null);
    /** @type {import('@preact/signals-core').Signal<Found | null>} What a search found and somebody opened. */
    this.found = signal(null);
    /** @type {import('@preact/signals-core').Signal<{ alias: string, lines: string[] } | null>} */
    this.log = signal(null);
    /** @type {import('@preact/signals-core').Signal<import('./types/bridge.js').AttachmentContent | null>} The attached file that is looked at. */
    this.attachment = signal(null);
    /** @type {import('@preact/signals-core').Signal<Toast[]>} */
    this.toasts = signal([]);
    this.nextToast = 1;
    /** @type {Map<number, ReturnType<typeof setTimeout>>} When each notice goes, unless somebody is at it. */
    this.leaving = new Map();
    /** Whether the connection has been lost for long enough to say so. */
    this.banner = signal(false);
    this.pathForm = signal(false);
    /** Why the path that was written there cannot be opened. */
    this.pathWrong = signal('');
    /** @type {import('@preact/signals-core').Signal<string | null>} A field that was saved just now. */
    this.saved = signal(null);
    /** @type {import('@preact/signals-core').Signal<ReadonlySet<string>>} The servers whose output is unfolded. */
    this.outputs = signal(new Set());
    /** @type {import('@preact/signals-core').Signal<ReadonlySet<string>>} The long questions that are shown whole. */
    this.whole = signal(new Set());
  }

  /** @param {string} alias @param {boolean} open */
  showOutput(alias, open) {
    put(this.outputs, alias, open);
  }

  /** @param {string} messageId @param {boolean} whole */
  showWhole(messageId, whole) {
    put(this.whole, messageId, whole);
  }

  /** @param {string} message @param {Toast['action']} [action] */
  notify(message, action) {
    const id = this.nextToast++;
    this.toasts.value = [...this.toasts.value.slice(1 - MOST_TOASTS), { id, message, action }];
    this.letGo(id);
  }

  /** A notice stays while somebody is at it. @param {number} id */
  hold(id) {
    clearTimeout(this.leaving.get(id));
    this.leaving.delete(id);
  }

  /** A notice goes after a while. @param {number} id */
  letGo(id) {
    this.hold(id);
    this.leaving.set(id, setTimeout(() => this.dismiss(id), TOAST_MS));
  }

  /** @param {number} id */
  dismiss(id) {
    this.hold(id);
    if (this.toasts.value.some((toast) => toast.id === id)) this.toasts.value = this.toasts.value.filter((toast) => toast.id !== id);
  }
}

/** @param {import('@preact/signals-core').Signal<ReadonlySet<string>>} among @param {string} one @param {boolean} within */
function put(among, one, within) {
  if (among.value.has(one) === within) return;
  const changed = new Set(among.value);
  if (within) changed.add(one);
  else changed.delete(one);
  among.value = changed;
}
