import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bridge, BridgeError } from '../src/bridge.js';

/** A transport under the test's hands: sockets open and close when told, time passes when told. */
function fakeTransport({ status = 200, body = /** @type {unknown} */ (null) } = {}) {
  const transport = {
    /** @type {any[]} */ sockets: [],
    /** @type {any[]} */ requests: [],
    /** @type {{ callback: () => void, milliseconds: number }[]} */ timers: [],
    status,
    body,
    /** @param {string} url @param {any} init */
    fetch: async (url, init) => {
      transport.requests.push({ url, init });
      return /** @type {any} */ ({ ok: transport.status < 400, status: transport.status, json: async () => transport.body });
    },
    /** @param {string} url @param {string[]} protocols */
    socket: (url, protocols) => {
      const socket = { url, protocols, sent: /** @type {any[]} */ ([]), send: (/** @type {string} */ text) => socket.sent.push(JSON.parse(text)), close: () => {} };
      transport.sockets.push(socket);
      return /** @type {any} */ (socket);
    },
    later: (/** @type {() => void} */ callback, /** @type {number} */ milliseconds) => transport.timers.push({ callback, milliseconds }),
    cancel: () => {},
    random: () => 0.5,
  };
  return transport;
}

function opened(transport = fakeTransport()) {
  const bridge = new Bridge({ origin: 'http://127.0.0.1:1', token: 'key', windowId: 'w', transport });
  const seen = { /** @type {any[]} */ snapshots: [], /** @type {any[]} */ events: [], /** @type {string[]} */ states: [] };
  bridge.onSnapshot = (snapshot) => seen.snapshots.push(snapshot);
  bridge.onEvent = (name, data) => seen.events.push([name, data]);
  bridge.onState = (state) => seen.states.push(state);
  bridge.connect();
  return { bridge, transport, seen, push: (/** @type {any} */ frame) => transport.sockets.at(-1).onmessage({ data: JSON.stringify(frame) }) };
}

const settle = () => new Promise((done) => setImmediate(done));

test('bridge on its first connection says hello and takes the snapshot', () => {
  const { transport, seen, push } = opened();
  assert.equal(transport.sockets[0].url, 'ws://127.0.0.1:1/bridge/events');
  assert.deepEqual(transport.sockets[0].protocols, ['llamero.v1', 'bearer.key']);
  transport.sockets[0].onopen();
  assert.deepEqual(transport.sockets[0].sent, [{ hello: { window: 'w' } }]);
  push({ seq: 5, epoch: 'e', snapshot: { version: '1' } });
  push({ seq: 6, ev: 'models', d: [] });
  assert.deepEqual(seen.snapshots, [{ version: '1' }]);
  assert.deepEqual(seen.events, [['models', []]]);
});

test('bridge after a break resumes behind the last frame it saw and takes nothing twice', async () => {
  const { transport, seen, push } = opened();
  transport.sockets[0].onopen();
  push({ seq: 5, epoch: 'e', snapshot: {} });
  push({ seq: 6, ev: 'a', d: 1 });
  transport.sockets[0].onclose();
  await settle();
  assert.equal(seen.states.at(-1), 'lost');
  transport.timers[0]?.callback();
  transport.sockets[1].onopen();
  assert.deepEqual(transport.sockets[1].sent, [{ resume: { epoch: 'e', seq: 6, window: 'w' } }]);
  push({ seq: 6, ev: 'a', d: 1 });
  push({ seq: 7, ev: 'b', d: 2 });
  assert.deepEqual(seen.events, [['a', 1], ['b', 2]]);
  assert.equal(seen.states.at(-1), 'open');
});

test('bridge that gets a snapshot in place of a resume counts from there', () => {
  const { push, seen, bridge } = opened();
  push({ seq: 50, epoch: 'one', snapshot: {} });
  push({ seq: 3, epoch: 'two', snapshot: {} });
  push({ seq: 4, ev: 'a', d: 1 });
  assert.equal(bridge.epoch, 'two');
  assert.deepEqual(seen.events, [['a', 1]]);
});

test('bridge waits longer after every failure, and not for ever', async () => {
  const transport = fakeTransport();
  transport.fetch = async () => {
    throw new TypeError('refused');
  };
  opened(transport);
  for (let attempt = 0; attempt < 9; attempt++) {
    transport.sockets.at(-1).onclose();
    await settle();
    transport.timers.at(-1)?.callback();
  }
  const waits = transport.timers.map((timer) => timer.milliseconds);
  assert.deepEqual(waits.slice(0, 4), [200, 400, 800, 1600]);
  assert.equal(waits.at(-1), 5000);
});

test('bridge whose key is refused stops trying', async () => {
  const transport = fakeTransport({ status: 401, body: { code: 'authentication_failed', message: 'no' } });
  const { seen } = opened(transport);
  transport.sockets[0].onclose();
  await settle();
  assert.equal(seen.states.at(-1), 'refused');
  assert.equal(transport.timers.length, 0);
});

test('bridge whose Llamero could not start stops trying and knows why', async () => {
  const transport = fakeTransport({ status: 409, body: { code: 'bridge_error-not_started', message: 'The disk is full.' } });
  const { bridge, seen } = opened(transport);
  transport.sockets[0].onclose();
  await settle();
  assert.equal(seen.states.at(-1), 'failed');
  assert.equal(bridge.failure, 'The disk is full.');
  assert.equal(transport.timers.length, 0);
});

test('channel gets its frames until its end and none of another', () => {
  const { bridge, push } = opened();
  /** @type {unknown[]} */
  const got = [];
  const channel = bridge.channel((data) => got.push(data), () => got.push('end'));
  assert.match(JSON.stringify({ on: channel }), /^{"on":"__CHANNEL__:[0-9]+"}$/);
  push({ seq: 1, ch: channel.id + 1, d: 'other' });
  push({ seq: 2, ch: channel.id, d: 'mine' });
  push({ seq: 3, ch: channel.id, end: true });
  push({ seq: 4, ch: channel.id, d: 'late' });
  assert.deepEqual(got, ['mine', 'end']);
});

test('command that fails throws its code and its sentence', async () => {
  const { bridge } = opened(fakeTransport({ status: 404, body: { code: 'not_found', message: 'Gone.', data: null } }));
  await assert.rejects(bridge.invoke('get_snapshot', {}), (error) => error instanceof BridgeError && error.code === 'not_found' && error.message === 'Gone.');
});

test('command carries the key in a header and nowhere else', async () => {
  const { bridge, transport } = opened();
  await bridge.invoke('open_link', { url: 'https://example.com' });
  const { url, init } = transport.requests[0];
  assert.equal(url, 'http://127.0.0.1:1/bridge/open_link');
  assert.equal(init.headers.Authorization, 'Bearer key');
  assert.doesNotMatch(url + init.body, /key/);
});
