/**
 * Questions and their answers. Each answer streams in on a channel of its own; one that somebody else asked for, or that
 * this page lost sight of, is watched. `ask` and its kin return whether it worked, so that a composer can give the text
 * back.
 */
import { batch, signal } from '@preact/signals-core';
import { LiveAnswer } from '../live.js';

/**
 * @typedef {import('../types/bridge.js').Asked} Asked
 * @typedef {import('../types/bridge.js').ChatFrame} ChatFrame
 */

export class Answers {
  /** @param {import('./core.js').Core} core @param {import('./ui.js').Ui} ui */
  constructor(core, ui) {
    this.core = core;
    this.ui = ui;
    /** Questions on their way: their answers must not be watched a second time. */
    this.asking = signal(0);
    /** @type {Set<string>} */
    this.watched = new Set();
  }

  /** Answers that are watched go on; those of before a break have lost their channel, and are watched anew. */
  forget() {
    this.watched.clear();
  }

  /** Where a question goes that is asked now; null while there is nobody to ask. */
  target() {
    const { currentId, draft, model } = this.core.store;
    const from = currentId.value;
    if (!model.value) return null;
    const chat = from === null ? { system_prompt: draft.value.systemPrompt || null, sampling: draft.value.sampling } : { conversation_id: from };
    return { from, request: { model: model.value.alias, ...chat } };
  }

  /** @param {string} question @param {readonly { id: string }[]} [attached] @param {ReturnType<Answers['target']>} [to] @returns {Promise<boolean>} */
  async ask(question, attached = [], to = this.target()) {
    if (!to) return false;
    const attachments = attached.map(({ id }) => id);
    return this.#follow((on) => this.core.bridge.invoke('send_chat_message', { text: question, on, attachments, ...to.request }), to.from);
  }

  /** @param {string} messageId @param {string} question */
  async edit(messageId, question) {
    const alias = this.core.store.model.value?.alias;
    if (!alias) return false;
    return this.#follow((on) => this.core.bridge.invoke('edit_message', { message_id: messageId, text: question, model: alias, on }));
  }

  /**
   * Put other words beside an answer, without asking anybody.
   * @param {string} messageId @param {string} words @returns {Promise<string | null>} The id of the new version.
   */
  async rewrite(messageId, words) {
    const edited = await this.core.call('edit_answer', { message_id: messageId, text: words });
    if (!edited) return null;
    batch(() => {
      this.core.store.putMessage(edited.message);
      this.core.store.putConversation(edited.conversation);
    });
    return edited.message.id;
  }

  /** @param {string} messageId */
  async retry(messageId) {
    const alias = this.core.store.model.value?.alias;
    if (!alias) return false;
    return this.#follow((on) => this.core.bridge.invoke('retry_message', { message_id: messageId, model: alias, on }));
  }

  /**
   * Ask, and let the answer stream in.
   * @param {(on: import('../bridge.js').Channel<ChatFrame>) => Promise<Asked>} ask
   * @param {string | null} from  The chat that was open then: a new one is shown only where nobody has gone elsewhere.
   */
  async #follow(ask, from = this.core.store.currentId.value) {
    const { store } = this.core;
    this.asking.value++;
    await this.core.changes.settled(); // what was set before asking holds for the answer
    const { channel, live, take } = this.#openAnswer();
    const asked = await this.core.tell(ask(channel)).finally(() => this.asking.value--);
    if (!asked) {
      this.core.bridge.forget(channel);
      this.watchAll();
      return false;
    }
    const { conversation, user_message, assistant_message } = asked;
    batch(() => {
      store.putConversation(conversation);
      if (store.currentId.value === from && from !== conversation.id) {
        store.show(conversation.id);
        store.opening.value = false;
        this.ui.remember(store.draftsOfBegun(conversation.id));
        this.ui.remember({ conversation_id: conversation.id });
      }
      if (user_message) store.putMessage(user_message);
      store.putMessage(assistant_message);
      this.watched.add(assistant_message.id);
      store.addLive(assistant_message.id, live);
      live.begin(assistant_message.content, assistant_message.reasoning);
    });
    take(assistant_message.id);
    this.watchAll();
    return true;
  }

  /** Follow every answer in the open conversation that is under way and not followed yet. */
  watchAll() {
    if (this.asking.peek()) return;
    for (const message of this.core.store.messages.value.values()) {
      if (message.status === 'streaming' && !this.watched.has(message.id)) void this.#watch(message.id);
    }
  }

  /** @param {string} messageId */
  async #watch(messageId) {
    this.watched.add(messageId);
    const { channel, live, take } = this.#openAnswer();
    const message = await this.core.call('watch_message', { message_id: messageId, on: channel });
    if (!message || message.status !== 'streaming') {
      this.core.bridge.forget(channel);
      if (message) this.core.store.putMessage(message);
      return;
    }
    batch(() => {
      this.core.store.addLive(messageId, live);
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
        if (last) this.core.store.putMessage(last);
        if (this.core.store.live.value.get(messageId) === live) this.core.store.removeLive(messageId);
      });
      if (!last) this.watched.delete(messageId);
    };
    const channel = this.core.bridge.channel(
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
    const message = this.core.store.answering.value;
    if (!message) return;
    const stopped = await this.core.call('stop_message', { message_id: message.id });
    if (stopped) this.core.store.putMessage(stopped);
  }
}
