/**
 * What a person can do: each act asks the bridge and tells the store what came of it.
 *
 * Acts never throw: what fails is shown as a notice, with its reason.
 */
import { Answers } from './answers.js';
import { Attachments } from './attachments.js';
import { Bench } from './bench.js';
import { Conversations } from './conversations.js';
import { Core } from './core.js';
import { Gateway } from './gateway.js';
import { Metrics } from './metrics.js';
import { Models } from './models.js';
import { Requests } from './requests.js';
import { Servers } from './servers.js';
import { Settings } from './settings.js';
import { Ui } from './ui.js';

export class Actions {
  /** @param {import('../bridge.js').Bridge} bridge @param {import('../store.js').Store} store @param {import('./core.js').Notify} notify */
  constructor(bridge, store, notify) {
    this.core = new Core(bridge, store, notify);
    /** The desktop asks for a new chat. @type {(model: string | null) => void} */
    this.onNewChat = () => {};
    this.ui = new Ui(this.core);
    this.answers = new Answers(this.core, this.ui);
    this.attachments = new Attachments(this.core, this.ui);
    this.conversations = new Conversations(this.core, this.ui, this.answers);
    this.metrics = new Metrics(this.core);
    this.bench = new Bench(this.core);
    this.requests = new Requests(this.core);
    this.models = new Models(this.core, this.conversations);
    this.servers = new Servers(this.core);
    this.gateway = new Gateway(this.core);
    this.settings = new Settings(this.core);
  }

  /** Connect, and keep the store current. */
  start() {
    const { bridge, store, notify } = this.core;
    bridge.onState = (state) => (store.link.value = state);
    bridge.onSnapshot = (snapshot) => {
      const first = !store.ready.value;
      store.applySnapshot(snapshot);
      const id = first ? (store.ui.value.conversation_id ?? null) : store.currentId.value;
      if (id !== null && store.conversations.value.some((one) => one.id === id)) void this.conversations.open(id);
      else if (!first && id !== null) store.show(null);
      this.ui.watchMetrics();
      void this.servers.watchLogAgain();
      this.requests.resume();
      if (first) for (const notice of snapshot.notices) notify(notice);
    };
    bridge.onEvent = (name, data) => {
      store.applyEvent(name, data);
      if (name === 'message') this.answers.watchAll();
      else if (name === 'conversation_deleted' && store.trash.value) void this.conversations.readTrash();
      else if (name === 'message_restored') void this.conversations.read(data.conversation_id);
      else if (name === 'new_chat') this.onNewChat(data.model);
      else if (name === 'notice') notify(data);
      else if (name === 'requests') this.requests.changed(data);
    };
    bridge.connect();
  }
}
