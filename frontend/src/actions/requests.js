/** Requests: looked at, sent again, compared, and what is kept of them. */
import { batch } from '@preact/signals-core';
import { EVENT_STEP } from '../requests.js';

/**
 * @typedef {import('../types/bridge.js').RequestsChanged} RequestsChanged
 * @typedef {import('../requests.js').Filter} Filter
 */
const SEARCH_AFTER_MS = 200;

export class Requests {
  /** @param {import('./core.js').Core} core */
  constructor(core) {
    this.core = core;
    this.state = core.store.requests;
    this.watching = false;
    this.asked = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.searchTimer = undefined;
  }

  /** The view is shown, or no longer. @param {boolean} watching */
  watch(watching) {
    this.watching = watching;
    this.resume();
  }

  /** After a break of the connection nobody knows any more who looked. */
  resume() {
    this.core.bridge.invoke('watch_requests', { watching: this.watching }).catch(() => {});
    if (this.watching) void this.refresh();
  }

  async refresh() {
    const { text, model, status, errorsOnly } = this.state.filter.value;
    const asked = ++this.asked;
    const list = await this.core.call('list_requests', {
      text: text.trim(),
      model: model.trim(),
      status,
      errors_only: errorsOnly,
    });
    if (list && asked === this.asked) this.state.setList(list);
  }

  /** @param {RequestsChanged} news */
  changed(news) {
    if (!this.watching) return;
    if (news.is_reset || this.state.isFiltered.value) void this.refresh();
    else this.state.put(news.requests);
    const open = this.state.openId.value;
    if (open !== null && news.requests.some((one) => one.id === open)) void this.#load(open);
  }

  /** @param {Partial<Filter>} change */
  filterBy(change) {
    this.state.filter.value = { ...this.state.filter.value, ...change };
    clearTimeout(this.searchTimer);
    this.searchTimer = setTimeout(() => void this.refresh(), SEARCH_AFTER_MS);
  }

  /** @param {string | null} id */
  open(id) {
    batch(() => {
      this.state.openId.value = id;
      this.state.eventsShown.value = EVENT_STEP;
      if (this.state.details.value?.summary.id !== id) this.state.details.value = null;
    });
    if (id !== null) void this.#load(id);
  }

  /** @param {string} id */
  async #load(id) {
    const details = await this.core.call('get_request', { id });
    if (this.state.openId.value !== id) return;
    if (details) this.state.details.value = details;
    else this.state.openId.value = null;
  }

  /** @param {string} id */
  async compare(id) {
    this.state.toggleCompared(id);
    const chosen = this.state.compared.value;
    this.state.comparison.value = null;
    if (chosen.length < 2) return;
    const [first, second] = await Promise.all(chosen.map((one) => this.core.call('get_request', { id: one })));
    if (first && second && this.state.compared.value === chosen) this.state.comparison.value = [first, second];
  }

  endComparison() {
    batch(() => {
      this.state.compared.value = [];
      this.state.comparison.value = null;
    });
  }

  /** @param {string} id */
  async renderPrompt(id) {
    this.state.prompt.value = { id, prompt: null };
    const rendered = await this.core.call('render_prompt', { id });
    if (this.state.prompt.value?.id === id) this.state.prompt.value = rendered ? { id, prompt: rendered.prompt } : null;
  }

  /** @param {string} id */
  async replay(id) {
    const begun = await this.core.call('replay_request', { id });
    if (!begun) return;
    if (!this.state.isFiltered.value) this.state.put([begun]);
    this.open(begun.id);
  }

  async clear() {
    await this.core.call('clear_requests', {});
    batch(() => {
      this.state.openId.value = null;
      this.state.details.value = null;
    });
    this.endComparison();
    await this.refresh();
  }

  /** @param {boolean} content */
  async keepContent(content) {
    const state = await this.core.call('set_inspector', { content });
    if (state) this.state.content.value = state.content ?? content;
    const open = this.state.openId.value;
    if (open !== null) void this.#load(open);
  }
}
