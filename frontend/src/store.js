/**
 * All that the page knows, as signals, and how what is pushed changes it. No IO here: `actions` asks, this answers.
 *
 * Invariants: conversations are ordered by last change; `messages` belong to the conversation `currentId`; a message is
 * in `live` exactly while its channel is open.
 *
 * @typedef {import('./types/bridge.js').Snapshot} Snapshot
 * @typedef {import('./types/bridge.js').Conversation} Conversation
 * @typedef {import('./types/bridge.js').Message} Message
 * @typedef {import('./types/bridge.js').ModelInfo} ModelInfo
 * @typedef {import('./types/bridge.js').ServerInfo} ServerInfo
 * @typedef {import('./types/bridge.js').MetricsSnapshot} MetricsSnapshot
 * @typedef {import('./types/bridge.js').UiState} UiState
 * @typedef {import('./types/bridge.js').BenchFrame} BenchFrame
 * @typedef {import('./types/bridge.js').SettingsReport} SettingsReport
 * @typedef {import('./types/bridge.js').UpdateReport} UpdateReport
 * @typedef {import('./types/bridge.js').Sampling} Sampling
 * @typedef {import('./live.js').LiveAnswer} LiveAnswer
 * @typedef {import('./bridge.js').LinkState} LinkState
 * @typedef {'stopped' | 'starting' | 'ready' | 'busy' | 'stopping' | 'failed'} ModelState
 * @typedef {{ systemPrompt: string, sampling: Sampling }} Draft  What a chat that has not begun will be asked with.
 * @typedef {{ key: string, name: string }} Arriving  A file on its way to the draft that is kept under `key`.
 */
import { batch, computed, signal } from '@preact/signals-core';
import { Requests } from './requests.js';
import { isLocal } from './models.js';
import { LogRing } from './log_ring.js';
import { below, pathTo, siblings } from './tree.js';

const HISTORY = 60;
const NEW_CHAT = 'new';

/** @template T @typedef {import('@preact/signals-core').Signal<T>} Signal */

export class Store {
  /** @type {string | null} The last message that was shown. */
  #leaf = null;

  constructor() {
    /** @type {Signal<LinkState>} */
    this.link = signal('connecting');
    this.ready = signal(false);
    this.version = signal('');
    this.nativeDialogs = signal(false);
    /** @type {Signal<ModelInfo[]>} */
    this.models = signal([]);
    /** @type {Signal<ServerInfo[]>} */
    this.servers = signal([]);
    /** @type {Signal<Conversation[]>} */
    this.conversations = signal([]);
    /** @type {Signal<string[]>} */
    this.notices = signal([]);
    /** @type {Signal<import('./types/bridge.js').Trash | null>} Deleted conversations, once they were asked for. */
    this.trash = signal(null);
    /** @type {Signal<UiState>} */
    this.ui = signal({});
    /** @type {Signal<BenchFrame | null>} How the bench under way goes, or how the last one ended. */
    this.bench = signal(null);
    /** @type {Signal<MetricsSnapshot | null>} */
    this.metrics = signal(null);
    /** @type {Signal<MetricsSnapshot[]>} */
    this.history = signal([]);

    /** What is known of the log while somebody watches it. */
    this.log = new LogRing();
    /** @type {Signal<string | null>} Where the log's file is. */
    this.logPath = signal(null);

    /** @type {Signal<string | null>} The open conversation; null is a chat that has not begun. */
    this.currentId = signal(null);
    /** @type {Signal<Map<string, Message>>} */
    this.messages = signal(new Map());
    /** Whether the messages of the open conversation are on their way. */
    this.opening = signal(false);
    /** @type {Signal<Map<string, LiveAnswer>>} */
    this.live = signal(new Map());
    /** @type {Signal<import('./types/bridge.js').AttachmentLimits>} What a question may bring. */
    this.attachmentLimits = signal({ files: 0, text_bytes: 0, image_bytes: 0, total_bytes: 0 });
    /** @type {Signal<readonly Arriving[]>} Files that are being uploaded, in their order. */
    this.arriving = signal([]);
    /** @type {Signal<Draft>} */
    this.draft = signal({ systemPrompt: '', sampling: {} });

    /** @type {Signal<UpdateReport | null>} What is known of newer releases. */
    this.update = signal(null);
    /** @type {Signal<SettingsReport | null>} Known once somebody has looked at the settings. */
    this.settings = signal(null);

    /** @type {Signal<import('./types/bridge.js').GatewayState | null>} Where other programs find the gateway. */
    this.gateway = signal(null);
    /** @type {Signal<import('./actions/gateway.js').Alias[] | null>} The names that the user gave, once they were asked for. */
    this.aliases = signal(null);
    /** @type {Signal<import('./types/bridge.js').AliasConditions>} What is known of the keys of remote servers, and who is left alone. */
    this.aliasConditions = signal({ keys: {}, paused: [] });
    /** @type {Signal<import('./types/bridge.js').ApiKey[] | null>} */
    this.apiKeys = signal(null);

    /** What the inspector shows. */
    this.requests = new Requests();

    this.conversation = computed(() => this.conversations.value.find((one) => one.id === this.currentId.value) ?? null);
    /** What is shown: the branch of the conversation's head. */
    this.path = computed(() => this.#path());
    this.siblings = computed(() => siblings(this.messages.value));
    /** The answer being written on the branch that is shown. */
    this.answeringHere = computed(() => this.path.value.findLast(isStreaming) ?? null);
    /** The answer being written in the open conversation: the one that is shown before one on another branch. */
    this.answering = computed(() => this.answeringHere.value ?? [...this.messages.value.values()].findLast(isStreaming) ?? null);
    /** The model that the next question goes to. */
    this.model = computed(() => this.#chosenModel());
    /** What goes with the next question. */
    this.attached = computed(() => this.ui.value.draft_attachments?.[this.draftKey] ?? []);
    /** Tokens per second of what is being written now. */
    this.rate = computed(() => {
      let rate = null;
      for (const live of this.live.value.values()) rate = live.rate.value ?? rate;
      return rate;
    });
  }

  /**
   * A head is often known before its messages are. Until they have come the branch stays as it was: emptied and filled
   * again, every long answer on it would have to be rendered anew.
   */
  #path() {
    const head = this.conversation.value?.head ?? null;
    const messages = this.messages.value;
    const path = pathTo(messages, head);
    const whole = head === null || path[0]?.parent_id === null;
    const former = this.#leaf === null ? undefined : messages.get(this.#leaf);
    if (!whole && former) return pathTo(messages, former.id);
    this.#leaf = path.at(-1)?.id ?? null;
    return path;
  }

  #chosenModel() {
    const usable = this.models.value.filter((model) => !model.embedding);
    const local = usable.filter(isLocal); // nothing is sent elsewhere unless somebody chose that
    const wanted = this.conversation.value?.model ?? this.ui.value.model;
    return (
      usable.find((model) => model.alias === wanted) ??
      local.find((model) => !model.is_demo && !model.missing) ??
      local[0] ??
      null
    );
  }

  /** @param {string} alias @returns {ServerInfo | undefined} */
  server(alias) {
    return this.servers.value.find((server) => server.alias === alias);
  }

  /** @param {string} alias @returns {ModelState} */
  stateOf(alias) {
    const server = this.server(alias);
    if (!server) return 'stopped';
    return server.phase === 'ready' && server.leases > 0 ? 'busy' : server.phase;
  }

  /** The models that make room for another one now. */
  get leaving() {
    return this.servers.value.filter(({ phase }) => phase === 'stopping').map(({ alias }) => alias);
  }

  /** @param {Snapshot} snapshot */
  applySnapshot(snapshot) {
    batch(() => {
      this.version.value = snapshot.version;
      this.nativeDialogs.value = snapshot.native_dialogs;
      this.models.value = snapshot.models;
      this.servers.value = snapshot.servers;
      this.conversations.value = byLastChange(snapshot.conversations);
      this.notices.value = snapshot.notices;
      this.attachmentLimits.value = snapshot.attachment_limits;
      // What this window shows may be newer than what was saved when the connection broke.
      if (!this.ready.value) this.ui.value = snapshot.ui;
      if (snapshot.metrics) this.#addMetrics(snapshot.metrics);
      this.ready.value = true;
    });
  }

  /** @param {string} name @param {any} data */
  applyEvent(name, data) {
    batch(() => {
      switch (name) {
        case 'conversation':
          return this.putConversation(data);
        case 'conversation_deleted':
          return this.removeConversation(data.conversation_id);
        case 'message':
          return this.putMessage(data);
        case 'message_deleted':
          return this.removeMessages(below(this.messages.value, data.message_id));
        case 'servers':
          this.servers.value = data;
          return undefined;
        case 'models':
          this.models.value = data;
          return undefined;
        case 'aliases':
          this.aliases.value = data;
          return undefined;
        case 'metrics':
          return this.#addMetrics(data);
        case 'logs':
          return this.log.add(data);
        case 'bench':
          this.bench.value = data;
          return undefined;
        case 'update':
          this.update.value = data;
          return undefined;
        case 'settings':
          this.settings.value = data;
          return undefined;
        case 'ui':
          return this.#takeDrafts(data);
        default:
          return undefined;
      }
    });
  }

  /** @param {Conversation} conversation */
  putConversation(conversation) {
    const others = this.conversations.value.filter((one) => one.id !== conversation.id);
    this.conversations.value = byLastChange(conversation.deleted_at === null ? [conversation, ...others] : others);
    if (this.trash.value && conversation.deleted_at === null) {
      const { conversations, ...trash } = this.trash.value;
      this.trash.value = { ...trash, conversations: conversations.filter((one) => one.id !== conversation.id) };
    }
  }

  /** @param {string} id */
  removeConversation(id) {
    this.conversations.value = this.conversations.value.filter((one) => one.id !== id);
    if (this.currentId.value === id) this.show(null);
  }

  /** Open a conversation, or a new chat. Its messages come with `setMessages`. @param {string | null} id */
  show(id) {
    batch(() => {
      this.currentId.value = id;
      this.messages.value = new Map();
      this.opening.value = id !== null;
      if (id === null) this.draft.value = { systemPrompt: '', sampling: {} };
    });
  }

  /** @param {string} conversationId @param {Message[]} messages */
  setMessages(conversationId, messages) {
    if (conversationId !== this.currentId.value) return;
    batch(() => {
      this.messages.value = new Map(messages.map((message) => [message.id, message]));
      this.opening.value = false;
    });
  }

  /** @param {Message} message */
  putMessage(message) {
    if (message.conversation_id !== this.currentId.value) return;
    // Answers to commands and what is pushed overtake each other, but an answer that has ended never begins again.
    const known = this.messages.value.get(message.id);
    if (known && known.status !== 'streaming' && message.status === 'streaming') return;
    this.messages.value = new Map(this.messages.value).set(message.id, message);
  }

  /** @param {Iterable<string>} ids */
  removeMessages(ids) {
    const messages = new Map(this.messages.value);
    for (const id of ids) messages.delete(id);
    if (messages.size !== this.messages.value.size) this.messages.value = messages;
  }

  /** @param {string} messageId @param {LiveAnswer} live */
  addLive(messageId, live) {
    this.live.value = new Map(this.live.value).set(messageId, live);
  }

  /** @param {string} messageId */
  removeLive(messageId) {
    const live = new Map(this.live.value);
    live.delete(messageId);
    this.live.value = live;
  }

  /** Under which name the draft of what this page shows is kept. */
  get draftKey() {
    return this.currentId.value ?? NEW_CHAT;
  }

  /** The drafts once a new chat has become a conversation: what was written in it meanwhile goes along. @param {string} id */
  draftsOfBegun(id) {
    /** @template T @param {Record<string, T> | undefined} all */
    const moved = (all) => {
      const { [NEW_CHAT]: begun, ...others } = all ?? {};
      return begun ? { ...others, [id]: begun } : others;
    };
    const { drafts, draft_attachments } = this.ui.value;
    return { drafts: moved(drafts), draft_attachments: moved(draft_attachments) };
  }

  /**
   * Another window has saved what is remembered. What this one shows stays; but as all of it is saved together, the
   * drafts of other chats must be known here, too.
   * @param {UiState} ui
   */
  #takeDrafts(ui) {
    const { drafts, draft_attachments } = this.ui.value;
    this.ui.value = {
      ...this.ui.value,
      drafts: this.#withMine(ui.drafts, drafts),
      draft_attachments: this.#withMine(ui.draft_attachments, draft_attachments),
    };
  }

  /** What others remember of their drafts, with what this window has of the one that it shows. @template T @param {Record<string, T> | undefined} theirs @param {Record<string, T> | undefined} ours */
  #withMine(theirs, ours) {
    const { [this.draftKey]: _same, ...others } = theirs ?? {};
    const mine = ours?.[this.draftKey];
    return mine ? { ...others, [this.draftKey]: mine } : others;
  }

  /** @param {MetricsSnapshot} sample */
  #addMetrics(sample) {
    this.metrics.value = sample;
    this.history.value = [...this.history.value, sample].slice(-HISTORY);
  }
}

/** @param {Message} message */
const isStreaming = ({ status }) => status === 'streaming';

/** @param {Conversation[]} conversations */
const byLastChange = (conversations) => [...conversations].sort((a, b) => b.updated_at - a.updated_at);
