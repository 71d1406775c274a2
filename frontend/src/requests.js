/**
 * What the page knows of requests, as signals, and how what is pushed changes it. No IO here.
 *
 * @typedef {import('./types/bridge.js').RequestSummary} RequestSummary
 * @typedef {import('./types/bridge.js').RequestDetails} RequestDetails
 * @typedef {import('./types/bridge.js').RequestList} RequestList
 * @typedef {import('./types/bridge.js').RequestsChanged} RequestsChanged
 * @typedef {{ text: string, model: string, status: number | null, errorsOnly: boolean }} Filter
 * @typedef {'overview' | 'request' | 'sent' | 'prompt' | 'response' | 'events'} Tab
 */
import { batch, computed, signal } from '@preact/signals-core';

/** No more rows are drawn, whatever the settings keep. */
const MOST_ROWS = 300;
/** So many events are drawn at first, and with each step. */
export const EVENT_STEP = 200;
/** @type {Filter} */
export const NO_FILTER = { text: '', model: '', status: null, errorsOnly: false };

/** @template T @typedef {import('@preact/signals-core').Signal<T>} Signal */

export class Requests {
  constructor() {
    /** Whether the list has been asked for. */
    this.ready = signal(false);
    /** @type {Signal<RequestSummary[]>} The newest first. */
    this.list = signal([]);
    this.enabled = signal(true);
    this.content = signal(true);
    this.contentAllowed = signal(true);
    /** @type {Signal<string | null>} */
    this.gatewayUrl = signal(null);
    /** @type {Signal<Filter>} */
    this.filter = signal(NO_FILTER);
    /** @type {Signal<string | null>} */
    this.openId = signal(null);
    /** @type {Signal<RequestDetails | null>} */
    this.details = signal(null);
    /** @type {Signal<Tab>} */
    this.tab = signal('overview');
    /** @type {Signal<{ id: string, prompt: string | null } | null>} A prompt that was asked for; its text may not have come. */
    this.prompt = signal(null);
    /** @type {Signal<string[]>} Those that are compared: two at most. */
    this.compared = signal([]);
    /** @type {Signal<[RequestDetails, RequestDetails] | null>} */
    this.comparison = signal(null);
    this.onlyChanges = signal(false);
    /** How many events of the open request are drawn. */
    this.eventsShown = signal(EVENT_STEP);
    this.isFiltered = computed(() => {
      const { text, model, status, errorsOnly } = this.filter.value;
      return Boolean(text.trim() || model.trim() || status !== null || errorsOnly);
    });
  }

  /** @param {RequestList} told */
  setList(told) {
    batch(() => {
      this.list.value = told.requests.slice(0, MOST_ROWS);
      this.enabled.value = told.enabled;
      this.content.value = told.content;
      this.contentAllowed.value = told.content_allowed;
      this.gatewayUrl.value = told.gateway_url;
      this.ready.value = true;
    });
  }

  /** New and changed requests take their place. @param {RequestSummary[]} changed */
  put(changed) {
    const known = new Map(this.list.value.map((one) => [one.id, one]));
    const fresh = changed.filter((one) => !known.has(one.id)).reverse();
    for (const one of changed) if (known.has(one.id)) known.set(one.id, one);
    this.list.value = [...fresh, ...known.values()].slice(0, MOST_ROWS);
  }

  /** Choose a request for comparison, or no longer; a third takes the place of the first. @param {string} id */
  toggleCompared(id) {
    const chosen = this.compared.value;
    this.compared.value = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-2);
  }
}
