/** Conversations: opened, begun, named, searched, deleted and taken back, and how each is answered. */
import { batch } from '@preact/signals-core';
import { text } from '../i18n/index.js';

/**
 * @typedef {import('../types/bridge.js').Conversation} Conversation
 * @typedef {import('../types/bridge.js').Sampling} Sampling
 * @typedef {import('../types/bridge.js').SearchHit} SearchHit
 */

export class Conversations {
  /** @param {import('./core.js').Core} core @param {import('./ui.js').Ui} ui @param {import('./answers.js').Answers} answers */
  constructor(core, ui, answers) {
    this.core = core;
    this.ui = ui;
    this.answers = answers;
  }

  /** @param {string} id */
  async open(id) {
    const { store } = this.core;
    this.answers.forget();
    batch(() => {
      if (store.currentId.value !== id) store.show(id);
      store.live.value = new Map();
    });
    this.ui.remember({ conversation_id: id });
    await this.read(id);
  }

  /** Read the messages of the open conversation. @param {string} id */
  async read(id) {
    const { store } = this.core;
    if (store.currentId.value !== id) return;
    const found = await this.core.call('get_conversation', { conversation_id: id });
    if (!found || store.currentId.value !== id) return;
    batch(() => {
      store.putConversation(found.conversation);
      store.setMessages(id, found.messages);
    });
    this.answers.watchAll();
  }

  /** Open a conversation at a message, on whichever branch it is. @param {string} id @param {string} messageId */
  async openAt(id, messageId) {
    const { store } = this.core;
    if (store.currentId.value !== id) await this.open(id);
    const shown = store.path.value.some((message) => message.id === messageId);
    if (!shown && store.currentId.value === id && store.messages.value.has(messageId)) await this.selectBranch(messageId);
  }

  /** Go on from a message in a conversation of its own. @param {string} messageId @returns {Promise<boolean>} Whether it is open now. */
  async fork(messageId) {
    const source = this.core.store.currentId.value;
    const fork = await this.core.call('fork_conversation', { message_id: messageId });
    if (!fork) return false;
    this.core.store.putConversation(fork);
    await this.open(fork.id);
    this.core.notify(text.forked, source === null ? undefined : { label: text.goBack, run: () => void this.open(source) });
    return true;
  }

  begin() {
    this.core.store.show(null);
    this.ui.remember({ conversation_id: null });
  }

  /** @param {string} id @param {string} title */
  async rename(id, title) {
    const conversation = await this.core.call('rename_conversation', { conversation_id: id, title });
    if (conversation) this.core.store.putConversation(conversation);
  }

  /** @param {string} id */
  async remove(id) {
    const conversation = this.core.store.conversations.value.find((one) => one.id === id);
    const wasOpen = this.core.store.currentId.value === id;
    const done = await this.core.call('delete_conversation', { conversation_id: id });
    if (done !== undefined && conversation) this.#removed(conversation, wasOpen);
  }

  /** @param {Conversation} conversation @param {boolean} wasOpen */
  #removed({ id, title }, wasOpen) {
    this.core.store.removeConversation(id);
    if (wasOpen) this.ui.remember({ conversation_id: null });
    this.core.notify(text.deleted(title), {
      label: text.undo,
      run: () => void this.#restore(id, wasOpen),
    });
  }

  /** Delete a message with all that follows it. @param {string} messageId */
  async removeMessage(messageId) {
    const { store } = this.core;
    const deleted = await this.core.call('delete_message', { message_id: messageId });
    if (!deleted) return;
    const { conversation, message_ids } = deleted;
    if (conversation.deleted_at !== null) {
      this.#removed(conversation, true);
      return;
    }
    batch(() => {
      store.putConversation(conversation);
      store.removeMessages(message_ids);
    });
    this.core.notify(text.deletedMessages(message_ids.length), {
      label: text.undo,
      run: () => void this.#restoreMessage(messageId),
    });
  }

  /** The messages themselves are read when every window is told. @param {string} messageId */
  async #restoreMessage(messageId) {
    const conversation = await this.core.call('restore_message', { message_id: messageId });
    if (!conversation) return;
    this.core.store.putConversation(conversation);
    if (this.core.store.currentId.value !== conversation.id) await this.open(conversation.id);
  }

  async readTrash() {
    const trash = await this.core.call('list_deleted_conversations', {});
    if (trash) this.core.store.trash.value = trash;
  }

  /** Take a conversation out of the trash, and open it. @param {Conversation} conversation @returns {Promise<boolean>} Whether it is open now. */
  async takeBack({ id, title }) {
    const restored = await this.#restore(id, true);
    if (restored) this.core.notify(text.restored(title));
    return restored;
  }

  /** @param {string} id @param {boolean} open @returns {Promise<boolean>} */
  async #restore(id, open) {
    const conversation = await this.core.call('restore_conversation', { conversation_id: id });
    if (!conversation) return false;
    this.core.store.putConversation(conversation);
    if (open) await this.open(id);
    return true;
  }

  /** @param {string} query @returns {Promise<SearchHit[]>} */
  async search(query) {
    return (await this.core.call('search_messages', { query, limit: 50 })) ?? [];
  }

  /** @param {{ model?: string, system_prompt?: string, sampling?: Sampling }} change */
  async change(change) {
    const id = this.core.store.currentId.value;
    if (change.model) this.ui.remember({ model: change.model });
    if (id === null) {
      const { draft } = this.core.store;
      draft.value = {
        systemPrompt: change.system_prompt ?? draft.value.systemPrompt,
        sampling: change.sampling ?? draft.value.sampling,
      };
      return;
    }
    const before = this.core.store.conversation.value;
    if (before) this.core.store.putConversation({ ...before, ...change });
    const send = () => this.core.call('change_conversation', { conversation_id: id, ...change });
    const conversation = await this.core.changes.send(id, send);
    if (!conversation && before) this.core.store.putConversation(before);
  }

  /** @param {Sampling} change */
  async changeSampling(change) {
    const { currentId, conversation, draft } = this.core.store;
    const sampling =
      currentId.value === null
        ? { ...draft.value.sampling, ...change }
        : this.core.changes.onTop(currentId.value, conversation.value?.sampling ?? {}, change);
    await this.change({ sampling });
  }

  /** @param {string} messageId */
  async selectBranch(messageId) {
    const id = this.core.store.currentId.value;
    if (id === null) return;
    const conversation = await this.core.call('select_branch', { conversation_id: id, message_id: messageId });
    if (conversation) this.core.store.putConversation(conversation);
  }
}
