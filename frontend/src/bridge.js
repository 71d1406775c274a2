/**
 * The way to the Python side: commands by POST, everything pushed by one WebSocket that resumes.
 *
 * Nothing outside this module knows the transport. Invariants: a frame is handed on at most once and in order; after a
 * break the socket asks for what follows the last frame it saw, and where that is gone a snapshot comes instead;
 * a refused token ends the attempts, since trying again cannot help, and so does a Llamero that could not start.
 *
 * @typedef {import('./types/bridge.js').Commands} Commands
 * @typedef {'connecting' | 'open' | 'lost' | 'refused' | 'failed'} LinkState
 *
 * @typedef {object} Transport  What the bridge needs of the browser; tests bring their own.
 * @property {(url: string, init: RequestInit) => Promise<Response>} fetch
 * @property {(url: string, protocols: string[]) => WebSocket} socket
 * @property {(callback: () => void, milliseconds: number) => unknown} later
 * @property {(handle: any) => void} cancel
 * @property {() => number} random  In [0, 1).
 */

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;

/** Why a command failed: a stable code and a sentence for people. `unreachable` and `refused` are the page's own. */
export class BridgeError extends Error {
  /** @param {string} code @param {string} message @param {number} status @param {unknown} [data] */
  constructor(code, message, status, data) {
    super(message);
    this.name = 'BridgeError';
    this.code = code;
    this.status = status;
    this.data = data;
  }
}

/** A stream of frames that belongs to one command; pass it as an argument. @template T */
export class Channel {
  /** @param {number} id @param {(data: T) => void} onData @param {() => void} onEnd */
  constructor(id, onData, onEnd) {
    this.id = id;
    this.onData = onData;
    this.onEnd = onEnd;
  }

  toJSON() {
    return `__CHANNEL__:${this.id}`;
  }
}

export class Bridge {
  /**
   * @param {object} options
   * @param {string} options.origin  Such as `http://127.0.0.1:4711`.
   * @param {string} options.token
   * @param {string} options.windowId
   * @param {Transport} options.transport
   */
  constructor({ origin, token, windowId, transport }) {
    this.origin = origin;
    this.token = token;
    this.windowId = windowId;
    this.transport = transport;
    /** @type {(snapshot: any) => void} */
    this.onSnapshot = () => {};
    /** @type {(name: string, data: any) => void} */
    this.onEvent = () => {};
    /** @type {(state: LinkState) => void} */
    this.onState = () => {};
    /** Why Llamero could not start, once the state is `failed`. */
    this.failure = '';
    /** @type {Map<number, Channel<any>>} */
    this.channels = new Map();
    // Frames for channels of the page before a reload must not be taken for ours, so numbers start anywhere.
    this.nextChannel = Math.floor(transport.random() * 1e12);
    /** @type {string | null} */
    this.epoch = null;
    this.seq = 0;
    this.attempts = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {unknown} */
    this.timer = null;
    this.closed = false;
  }

  /** Open a channel; its frames come until `onEnd`. @template T @param {(data: T) => void} onData @param {() => void} [onEnd] */
  channel(onData, onEnd = () => {}) {
    const channel = new Channel(this.nextChannel++, onData, onEnd);
    this.channels.set(channel.id, channel);
    return channel;
  }

  /** Frames that still come are dropped. @param {Channel<any>} channel */
  forget(channel) {
    this.channels.delete(channel.id);
  }

  /**
   * Call a command.
   * @template {keyof Commands} Name
   * @param {Name} name
   * @param {Commands[Name]['args']} args
   * @param {{ last?: boolean }} [options]  `last`: the page is about to go, and this must arrive all the same.
   * @returns {Promise<Commands[Name]['result']>}
   * @throws {BridgeError}
   */
  async invoke(name, args, { last = false } = {}) {
    let response;
    try {
      response = await this.transport.fetch(`${this.origin}/bridge/${name}`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${this.token}`,
          'Content-Type': 'application/json',
          'X-Llamero-Window': this.windowId,
        },
        body: JSON.stringify(args),
        cache: 'no-store',
        keepalive: last,
      });
    } catch {
      throw new BridgeError('unreachable', 'Llamero cannot be reached. It may have been closed.', 0);
    }
    const body = await response.json().catch(() => null);
    if (response.ok) return body;
    const code = body?.code ?? 'internal_error';
    throw new BridgeError(code, body?.message ?? `Llamero answered with status ${response.status}.`, response.status, body?.data);
  }

  /**
   * Hand over a large body; what is done with it is said by its handle.
   * @param {Blob} body @returns {Promise<{ handle: string, size: number }>}
   * @throws {BridgeError}
   */
  async upload(body) {
    let response;
    try {
      const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/octet-stream' };
      response = await this.transport.fetch(`${this.origin}/bridge/blob`, { method: 'PUT', headers, body, cache: 'no-store' });
    } catch {
      throw new BridgeError('unreachable', 'Llamero cannot be reached. It may have been closed.', 0);
    }
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    throw new BridgeError(answer?.code ?? 'internal_error', answer?.message ?? `Llamero answered with status ${response.status}.`, response.status);
  }

  /** Open the socket and keep it open. */
  connect() {
    if (this.closed || this.socket) return;
    this.transport.cancel(this.timer);
    const url = `${this.origin.replace(/^http/, 'ws')}/bridge/events`;
    const socket = this.transport.socket(url, ['llamero.v1', `bearer.${this.token}`]);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      const window = this.windowId;
      const first = this.epoch === null ? { hello: { window } } : { resume: { epoch: this.epoch, seq: this.seq, window } };
      socket.send(JSON.stringify(first));
      // A resumed page may have missed nothing and then hears nothing, so this counts as connected.
      this.onState('open');
    };
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (this.closed) return;
      this.onState('lost');
      void this.#again(opened);
    };
  }

  /** Do not wait for the next attempt: the machine woke up, or somebody looks again. */
  hurry() {
    if (this.socket || this.closed) return;
    this.attempts = 0;
    this.connect();
  }

  close() {
    this.closed = true;
    this.transport.cancel(this.timer);
    this.socket?.close();
  }

  /** @param {boolean} opened  Whether the socket that closed had been accepted. */
  async #again(opened) {
    // A browser does not say why a handshake failed. A command does: the token may be from an earlier start.
    const final = opened ? null : await this.#finalState();
    if (final) {
      this.closed = true;
      this.onState(final);
      return;
    }
    if (this.closed || this.socket) return;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempts++);
    this.timer = this.transport.later(() => this.connect(), wait * (0.75 + this.transport.random() / 2));
  }

  /** @returns {Promise<LinkState | null>} */
  async #finalState() {
    try {
      await this.invoke('get_snapshot', {});
    } catch (error) {
      if (!(error instanceof BridgeError)) return null;
      if (error.status === 401 || error.status === 403) return 'refused';
      if (error.code === 'bridge_error-not_started') {
        this.failure = error.message;
        return 'failed';
      }
    }
    return null;
  }

  /** @param {any} frame */
  #receive(frame) {
    if ('snapshot' in frame) {
      this.epoch = frame.epoch;
      this.seq = frame.seq;
      this.attempts = 0;
      this.onSnapshot(frame.snapshot);
      return;
    }
    this.attempts = 0;
    if (typeof frame.seq === 'number') {
      if (frame.seq <= this.seq) return;
      this.seq = frame.seq;
    }
    if ('ev' in frame) {
      this.onEvent(frame.ev, frame.d);
      return;
    }
    const channel = this.channels.get(frame.ch);
    if (!channel) return;
    if (frame.end) {
      this.channels.delete(frame.ch);
      channel.onEnd();
    } else {
      channel.onData(frame.d);
    }
  }
}

/** The browser itself. @returns {Transport} */
export function browserTransport() {
  return {
    fetch: (url, init) => fetch(url, init),
    socket: (url, protocols) => new WebSocket(url, protocols),
    later: (callback, milliseconds) => setTimeout(callback, milliseconds),
    cancel: (handle) => clearTimeout(handle),
    random: () => Math.random(),
  };
}
