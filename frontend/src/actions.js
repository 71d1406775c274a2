/**
 * What a person can do: each act asks the bridge and tells the store what came of it.
 *
 * Acts never throw: what fails is shown as a notice, with its reason. `ask` and its kin return whether it worked, so
 * that a composer can give the text back.
 */
import { batch } from '@preact/signals-core';
import { BridgeError } from './bridge.js';
import { Changes } from './changes.js';
import { LiveAnswer } from './live.js';
import { text } from './i18n.js';

/**
 * @typedef {import('./bridge.js').Bridge} Bridge
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./types/bridge.js').Asked} Asked
 * @typedef {import('./types/bridge.js').ChatFrame} ChatFrame
 * @typedef {import('./types/bridge.js').Sampling} Sampling
 * @typedef {Pick<import('./types/bridge.js').ModelInfo, 'context_length' | 'gpu_layers' | 'threads' | 'keep_alive_s'>} ModelSettings
 * @typedef {import('./types/bridge.js').UiState} UiState
 * @typedef {import('./types/bridge.js').SearchHit} SearchHit
 * @typedef {(message: string, action?: { label: string, run: () => void }) => void} Notify
 */

const SAVE_UI_AFTER_MS = 400;

export class Actions {
  /** @param {Bridge} bridge @param {Store} store @param {Notify} notify */
  constructor(bridge, store, notify) {
    this.bridge = bridge;
    this.store = store;
    this.notify = notify;
    this.changes = new Changes();
    /** Questions on their way: their answers must not be watched a second time. */
    this.asking = 0;
    /** @type {Set<string>} */
    this.watched = new Set();
    this.looking = false;
    /** @type {number | undefined} */
    this.saveTimer = undefined;
  }

  /** Connect, and keep the store current. */
  start() {
    const { bridge, store } = this;
    bridge.onState = (state) => (store.link.value = state);
    bridge.onSnapshot = (snapshot) => {
      const first = !store.ready.value;
      store.applySnapshot(snapshot);
      const id = first ? (store.ui.value.conversation_id ?? null) : store.currentId.value;
      if (id !== null && store.conversations.value.some((one) => one.id === id)) void this.open(id);
      else if (!first && id !== null) store.show(null);
      this.watchMetrics();
      if (first) for (const notice of snapshot.notices) this.notify(notice);
    };
    bridge.onEvent = (name, data) => {
      store.applyEvent(name, data);
      if (name === 'message') this.#watchAnswers();
    };
    bridge.connect();
  }

  /** @template T @param {Promise<T>} promise @returns {Promise<T | undefined>} */
  async #tell(promise) {
    try {
      return await promise;
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      // The banner and the page for old keys say these already.
      if (error.code !== 'unreachable' && error.status !== 401) this.notify(error.message);
      else if (this.store.link.value === 'open') this.notify(error.message);
      return undefined;
    }
  }

  // Conversations

  /** @param {string} id */
  async open(id) {
    const { store } = this;
    // Answers that are watched go on; those of before a break have lost their channel, and are watched anew.
    this.watched.clear();
    batch(() => {
      if (store.currentId.value !== id) store.show(id);
      store.live.value = new Map();
    });
    this.rememberUi({ conversation_id: id });
    const found = await this.#tell(this.bridge.invoke('get_conversation', { conversation_id: id }));
    if (!found || store.currentId.value !== id) return;
    batch(() => {
      store.putConversation(found.conversation);
      store.setMessages(id, found.messages);
    });
    this.#watchAnswers();
  }

  newChat() {
    this.store.show(null);
    this.rememberUi({ conversation_id: null });
  }

  /** @param {string} id @param {string} title */
  async rename(id, title) {
    const conversation = await this.#tell(this.bridge.invoke('rename_conversation', { conversation_id: id, title }));
    if (conversation) this.store.putConversation(conversation);
  }

  /** @param {string} id */
  async remove(id) {
    const conversation = this.store.conversations.value.find((one) => one.id === id);
    const wasOpen = this.store.currentId.value === id;
    const done = await this.#tell(this.bridge.invoke('delete_conversation', { conversation_id: id }));
    if (done === undefined || !conversation) return;
    this.store.removeConversation(id);
    if (wasOpen) this.rememberUi({ conversation_id: null });
    this.notify(text.deleted(conversation.title), {
      label: text.undo,
      run: () => void this.#restore(id, wasOpen),
    });
  }

  /** @param {string} id @param {boolean} open */
  async #restore(id, open) {
    const conversation = await this.#tell(this.bridge.invoke('restore_conversation', { conversation_id: id }));
    if (!conversation) return;
    this.store.putConversation(conversation);
    if (open) await this.open(id);
  }

  /** @param {string} query @returns {Promise<SearchHit[]>} */
  async search(query) {
    return (await this.#tell(this.bridge.invoke('search_messages', { query, limit: 50 }))) ?? [];
  }

  /** @param {{ model?: string, system_prompt?: string, sampling?: Sampling }} change */
  async changeConversation(change) {
    const id = this.store.currentId.value;
    if (change.model) this.rememberUi({ model: change.model });
    if (id === null) {
      const { draft } = this.store;
      draft.value = {
        systemPrompt: change.system_prompt ?? draft.value.systemPrompt,
        sampling: change.sampling ?? draft.value.sampling,
      };
      return;
    }
    const before = this.store.conversation.value;
    if (before) this.store.putConversation({ ...before, ...change });
    const send = () => this.#tell(this.bridge.invoke('change_conversation', { conversation_id: id, ...change }));
    const conversation = await this.changes.send(id, send);
    if (!conversation && before) this.store.putConversation(before);
  }

  /** @param {Sampling} change */
  async changeSampling(change) {
    const { currentId, conversation, draft } = this.store;
    const sampling =
      currentId.value === null
        ? { ...draft.value.sampling, ...change }
        : this.changes.onTop(currentId.value, conversation.value?.sampling ?? {}, change);
    await this.changeConversation({ sampling });
  }

  // Messages

  /** @param {string} question @param {string} [alias] @returns {Promise<boolean>} */
  async ask(question, alias = this.store.model.value?.alias) {
    if (!alias) return false;
    const { currentId, draft } = this.store;
    const started =
      currentId.value === null
        ? { system_prompt: draft.value.systemPrompt || null, sampling: draft.value.sampling }
        : { conversation_id: currentId.value };
    return this.#follow((on) => this.bridge.invoke('send_chat_message', { text: question, model: alias, on, ...started }));
  }

  /** @param {string} messageId @param {string} question */
  async edit(messageId, question) {
    const alias = this.store.model.value?.alias;
    if (!alias) return false;
    return this.#follow((on) => this.bridge.invoke('edit_message', { message_id: messageId, text: question, model: alias, on }));
  }

  /** @param {string} messageId */
  async retry(messageId) {
    const alias = this.store.model.value?.alias;
    if (!alias) return false;
    return this.#follow((on) => this.bridge.invoke('retry_message', { message_id: messageId, model: alias, on }));
  }

  /** Ask, and let the answer stream in. @param {(on: import('./bridge.js').Channel<ChatFrame>) => Promise<Asked>} ask */
  async #follow(ask) {
    const { store } = this;
    await this.changes.settled(); // what was set before asking holds for the answer
    const from = store.currentId.value;
    const { channel, live, take } = this.#openAnswer();
    this.asking++;
    const asked = await this.#tell(ask(channel)).finally(() => this.asking--);
    if (!asked) {
      this.bridge.forget(channel);
      this.#watchAnswers();
      return false;
    }
    const { conversation, user_message, assistant_message } = asked;
    batch(() => {
      store.putConversation(conversation);
      if (store.currentId.value === from && from !== conversation.id) {
        store.show(conversation.id);
        store.opening.value = false;
        this.rememberUi({ conversation_id: conversation.id });
      }
      if (user_message) store.putMessage(user_message);
      store.putMessage(assistant_message);
      this.watched.add(assistant_message.id);
      store.addLive(assistant_message.id, live);
      live.begin(assistant_message.content, assistant_message.reasoning);
    });
    take(assistant_message.id);
    this.#watchAnswers();
    return true;
  }

  /** Follow every answer in the open conversation that is under way and not followed yet. */
  #watchAnswers() {
    if (this.asking) return;
    for (const message of this.store.messages.value.values()) {
      if (message.status === 'streaming' && !this.watched.has(message.id)) void this.#watch(message.id);
    }
  }

  /** @param {string} messageId */
  async #watch(messageId) {
    this.watched.add(messageId);
    const { channel, live, take } = this.#openAnswer();
    const message = await this.#tell(this.bridge.invoke('watch_message', { message_id: messageId, on: channel }));
    if (!message || message.status !== 'streaming') {
      this.bridge.forget(channel);
      if (message) this.store.putMessage(message);
      return;
    }
    batch(() => {
      this.store.addLive(messageId, live);
      live.begin(message.content, message.reasoning);
    });
    take(messageId);
  }

  /** A channel and the answer that it fills; `take` says whose answer it is, once that is known. */
  #openAnswer() {
    const live = new LiveAnswer();
    /** @type {string | null} */
    let id = null;
    /** @type {ChatFrame['message']} */
    let last = null;
    let ended = false;
    const settle = () => {
      if (id === null || !ended) return;
      const messageId = id;
      batch(() => {
        if (last) this.store.putMessage(last);
        if (this.store.live.value.get(messageId) === live) this.store.removeLive(messageId);
      });
      if (!last) this.watched.delete(messageId);
    };
    const channel = this.bridge.channel(
      (/** @type {ChatFrame} */ frame) => {
        live.append(frame);
        if (!frame.message) return;
        last = frame.message;
        ended = true;
        settle();
      },
      () => {
        ended = true;
        settle();
      },
    );
    /** @param {string} messageId */
    const take = (messageId) => {
      id = messageId;
      settle();
    };
    return { channel, live, take };
  }

  async stop() {
    const message = this.store.answering.value;
    if (!message) return;
    const stopped = await this.#tell(this.bridge.invoke('stop_message', { message_id: message.id }));
    if (stopped) this.store.putMessage(stopped);
  }

  /** @param {string} messageId */
  async selectBranch(messageId) {
    const id = this.store.currentId.value;
    if (id === null) return;
    const conversation = await this.#tell(this.bridge.invoke('select_branch', { conversation_id: id, message_id: messageId }));
    if (conversation) this.store.putConversation(conversation);
  }

  // Models

  /** @param {string} path @returns {Promise<boolean>} */
  async addModel(path) {
    return this.#chosen(await this.#tell(this.bridge.invoke('add_model_file', { path })));
  }

  /** By the native dialog. */
  async chooseModelFile() {
    return this.#chosen(await this.#tell(this.bridge.invoke('choose_model_file', {})));
  }

  /** @param {import('./types/bridge.js').ModelInfo | null | undefined} model */
  #chosen(model) {
    if (!model) return false;
    this.store.models.value = [...this.store.models.value.filter((one) => one.alias !== model.alias), model];
    void this.changeConversation({ model: model.alias });
    return true;
  }

  /** All fields are set together. @param {string} alias @param {Partial<ModelSettings>} change */
  async changeModel(alias, change) {
    const before = this.store.models.value.find((one) => one.alias === alias);
    if (!before) return;
    const { context_length, gpu_layers, threads, keep_alive_s } = before;
    const key = `model ${alias}`;
    const whole = this.changes.onTop(key, { context_length, gpu_layers, threads, keep_alive_s }, change);
    this.#putModel({ ...before, ...whole });
    const model = await this.changes.send(key, () => this.#tell(this.bridge.invoke('change_model', { alias, ...whole })));
    if (!model) this.#putModel(before);
  }

  /** @param {import('./types/bridge.js').ModelInfo} model */
  #putModel(model) {
    this.store.models.value = this.store.models.value.map((one) => (one.alias === model.alias ? model : one));
  }

  /** @param {string} alias */
  async load(alias) {
    await this.#tell(this.bridge.invoke('start_model', { alias }));
  }

  /** @param {string} alias */
  async unload(alias) {
    await this.#tell(this.bridge.invoke('stop_model', { alias }));
  }

  /** @param {string} alias */
  async log(alias) {
    return this.#tell(this.bridge.invoke('get_server_log', { alias }));
  }

  // The page

  /** @param {string} url */
  async openLink(url) {
    await this.#tell(this.bridge.invoke('open_link', { url }));
  }

  /** Samples come every second while somebody looks closely, and now and then otherwise. @param {boolean} looking */
  look(looking) {
    this.looking = looking;
    this.watchMetrics();
  }

  watchMetrics() {
    this.bridge.invoke('watch_metrics', { watching: this.looking }).catch(() => {});
  }

  /** @param {Partial<UiState>} change */
  rememberUi(change) {
    this.store.ui.value = { ...this.store.ui.value, ...change };
    clearTimeout(this.saveTimer);
    this.saveTimer = setTimeout(() => this.saveUi(), SAVE_UI_AFTER_MS);
  }

  /** @param {{ last?: boolean }} [options] */
  saveUi(options) {
    clearTimeout(this.saveTimer);
    // A page that has not been told what is remembered would overwrite it with nothing.
    if (!this.store.ready.value) return;
    this.bridge.invoke('set_ui_state', { ui: this.store.ui.value }, options).catch(() => {});
  }
}
