import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effect } from '@preact/signals-core';
import { dayGroup, daysAgo, duration, fileSize, halves, megabytes, smallSize, speed, visible } from '../src/format.js';
import { LiveAnswer } from '../src/live.js';
import { Sentences } from '../src/sentences.js';
import { Store } from '../src/store.js';
import { below, pathTo, siblings } from '../src/tree.js';

const message = (/** @type {string} */ id, /** @type {string | null} */ parent, more = {}) =>
  /** @type {any} */ ({ id, conversation_id: 'c', parent_id: parent, role: 'user', content: id, status: 'complete', created_at: Number(id.slice(1)), ...more });
const conversation = (/** @type {string} */ id, more = {}) =>
  /** @type {any} */ ({ id, title: id, created_at: 0, updated_at: 0, head: null, model: null, deleted_at: null, system_prompt: '', sampling: {}, ...more });
const tree = new Map([message('m1', null), message('m2', 'm1'), message('m3', 'm1'), message('m4', 'm3')].map((one) => [one.id, one]));

test('path goes from the root to the head', () => {
  assert.deepEqual(pathTo(tree, 'm4').map((one) => one.id), ['m1', 'm3', 'm4']);
  assert.deepEqual(pathTo(tree, null), []);
});

test('path through a broken tree ends', () => {
  const broken = new Map([message('m1', 'm2'), message('m2', 'm1')].map((one) => [one.id, one]));
  assert.equal(pathTo(broken, 'm1').length, 2);
});

test('siblings are the children of one parent, oldest first', () => {
  assert.deepEqual(siblings(tree).get('m3'), ['m2', 'm3']);
});

test('below a message are all that follow it, whatever their order', () => {
  assert.deepEqual([...below(tree, 'm1')].sort(), ['m1', 'm2', 'm3', 'm4']);
  assert.deepEqual([...below(new Map([...tree].reverse()), 'm3')].sort(), ['m3', 'm4']);
  assert.deepEqual([...below(tree, 'm4')], ['m4']);
});

test('store forgets a deleted message with all that follow it', () => {
  const store = new Store();
  store.applyEvent('conversation', conversation('c', { head: 'm4' }));
  store.show('c');
  store.setMessages('c', [...tree.values()]);
  store.applyEvent('conversation', conversation('c', { head: 'm2' }));
  store.applyEvent('message_deleted', { conversation_id: 'c', message_id: 'm3' });
  assert.deepEqual([...store.messages.value.keys()], ['m1', 'm2']);
  assert.deepEqual(store.path.value.map((one) => one.id), ['m1', 'm2']);
});

test('store takes a conversation that is restored out of the trash', () => {
  const store = new Store();
  store.trash.value = { kept_s: 1, conversations: [conversation('a', { deleted_at: 1 }), conversation('b', { deleted_at: 1 })] };
  store.applyEvent('conversation', conversation('a'));
  assert.deepEqual(store.trash.value.conversations.map((one) => one.id), ['b']);
});

test('days ago are told by the calendar', () => {
  const now = new Date(2026, 10, 21, 0, 30);
  const at = (/** @type {number} */ minutes) => now.getTime() / 1000 - minutes * 60;
  assert.equal(daysAgo(at(10), now), 'today');
  assert.equal(daysAgo(at(40), now), 'yesterday');
  assert.equal(daysAgo(at(60 * 24 * 3), now), '3 days ago');
});

test('store keeps conversations by last change and forgets deleted ones', () => {
  const store = new Store();
  store.applyEvent('conversation', conversation('a', { updated_at: 1 }));
  store.applyEvent('conversation', conversation('b', { updated_at: 2 }));
  assert.deepEqual(store.conversations.value.map((one) => one.id), ['b', 'a']);
  store.show('b');
  store.applyEvent('conversation_deleted', { conversation_id: 'b' });
  assert.deepEqual(store.conversations.value.map((one) => one.id), ['a']);
  assert.equal(store.currentId.value, null);
});

test('store takes messages of the open conversation only', () => {
  const store = new Store();
  store.show('c');
  store.applyEvent('message', message('m1', null));
  store.applyEvent('message', message('m2', null, { conversation_id: 'other' }));
  assert.deepEqual([...store.messages.value.keys()], ['m1']);
});

test('store keeps what is shown while the messages of a new head are on their way', () => {
  const store = new Store();
  store.applyEvent('conversation', conversation('c', { head: 'm2' }));
  store.show('c');
  store.setMessages('c', [message('m1', null), message('m2', 'm1')]);
  const shown = [];
  effect(() => {
    shown.push(store.path.value.map((one) => one.id).join());
  });
  store.applyEvent('conversation', conversation('c', { head: 'm4' }));
  store.applyEvent('message', message('m4', 'm3'));
  store.applyEvent('message', message('m3', 'm2'));
  assert.deepEqual([...new Set(shown)], ['m1,m2', 'm1,m2,m3,m4']);
  store.show(null);
  assert.equal(store.path.value.length, 0);
});

test('store never lets an answer that has ended begin again', () => {
  const store = new Store();
  store.show('c');
  store.putMessage(message('m1', null, { status: 'stopped' }));
  store.putMessage(message('m1', null, { status: 'streaming' }));
  assert.equal(store.messages.value.get('m1')?.status, 'stopped');
});

test('store asks the model of the conversation, else the one used last, else the first that is no demo', () => {
  const store = new Store();
  const model = (/** @type {string} */ alias, more = {}) => ({ alias, kind: 'model', embedding: false, is_demo: false, missing: false, ...more });
  store.models.value = /** @type {any} */ ([model('demo', { is_demo: true }), model('gone', { missing: true }), model('a'), model('b'), model('e', { embedding: true })]);
  assert.equal(store.model.value?.alias, 'a');
  store.ui.value = { model: 'b' };
  assert.equal(store.model.value?.alias, 'b');
  store.putConversation(conversation('c', { model: 'demo' }));
  store.show('c');
  assert.equal(store.model.value?.alias, 'demo');
});

test('store never chooses a model elsewhere by itself', () => {
  const store = new Store();
  const model = (/** @type {string} */ alias, more = {}) => ({ alias, kind: 'model', embedding: false, is_demo: false, missing: false, ...more });
  store.models.value = /** @type {any} */ ([model('any', { kind: 'fallback' }), model('far/m', { kind: 'api' })]);
  assert.equal(store.model.value, null);
  store.models.value = /** @type {any} */ ([...store.models.value, model('demo', { is_demo: true })]);
  assert.equal(store.model.value?.alias, 'demo');
  store.models.value = /** @type {any} */ ([...store.models.value, model('mine', { kind: 'user' })]);
  assert.equal(store.model.value?.alias, 'mine');
  store.ui.value = /** @type {any} */ ({ model: 'far/m' });
  assert.equal(store.model.value?.alias, 'far/m');
});

test('server that answers somebody is busy', () => {
  const store = new Store();
  store.servers.value = /** @type {any} */ ([{ alias: 'a', phase: 'ready', leases: 1 }, { alias: 'b', phase: 'ready', leases: 0 }]);
  assert.equal(store.stateOf('a'), 'busy');
  assert.equal(store.stateOf('b'), 'ready');
  assert.equal(store.stateOf('unknown'), 'stopped');
});

test('live answer keeps frames that come before what they continue', () => {
  const live = new LiveAnswer(() => 0);
  live.append({ text: 'world' });
  assert.equal(live.text, '');
  live.begin('hello ', 'why');
  assert.equal(live.text, 'hello world');
  assert.equal(live.reasoning, 'why');
});

test('live answer gives a listener that its first piece brings no piece twice', () => {
  const live = new LiveAnswer(() => 0);
  live.begin('', '');
  let shown = '';
  effect(() => {
    if (!live.hasText.value) return;
    shown = live.text;
    live.listen((_part, piece) => (shown += piece));
  });
  live.append({ text: 'one ' });
  live.append({ text: 'two' });
  assert.equal(shown, 'one two');
});

test('live answer says what happens until there is something to read', () => {
  const live = new LiveAnswer(() => 0);
  live.begin('', '');
  live.append({ progress: { kind: 'loading', model: 'm', done: null, total: null } });
  assert.equal(live.progress.value?.kind, 'loading');
  live.append({ text: 'x' });
  assert.equal(live.progress.value, null);
});

test('sentences are spoken when they end, whole and without marks', () => {
  const sentences = new Sentences();
  const spoken = [];
  for (const piece of '# Title\n\nThis is **one**. And [two](https://x.y) at 3.5 m. Rest\n```js\nlet a;\n```\nend'.match(/.{1,3}/gs) ?? []) spoken.push(...sentences.push(piece));
  spoken.push(...sentences.finish());
  assert.deepEqual(spoken, ['Title', 'This is one.', 'And two at 3.5 m.', 'Rest', 'Code.', 'end']);
});

test('figures carry their unit', () => {
  assert.equal(fileSize(2.6 * 1024 ** 3), '2.6 GB');
  assert.equal(fileSize(1_500_000), '1.4 MB');
  assert.deepEqual([0, 1, 999, 1000, 1_023_999].map(smallSize), ['0 bytes', '1 byte', '999 bytes', '1.0 KB', '1,000.0 KB']);
  assert.equal(smallSize(1_500_000), '1.4 MB');
  assert.equal(megabytes(2 * 1024 ** 2), '2 MB');
  assert.equal(speed(41.26), '41.3');
  assert.equal(speed(2574.6), '2,575');
  assert.equal(duration(310), '310 ms');
  assert.equal(duration(2340), '2.3 s');
  assert.equal(duration(125_000), '2 min 5 s');
});

test('name in a sentence has nothing that cannot be seen and is cut where it is long', () => {
  assert.equal(visible('cv\u202efdp\n.e\u2028xe'), 'cvfdp.exe');
  assert.equal(visible('🦙'.repeat(200)), `${'🦙'.repeat(79)}…`);
});

test('name that may be cut is whole in its two parts, and no letter is taken apart', () => {
  assert.deepEqual(halves('notes.md'), ['notes.md', '']);
  assert.deepEqual(halves('report-of-the-year-02-final.md'), ['report-of-the-year-0', '2-final.md']);
  const family = '👨‍👩‍👧';
  assert.deepEqual(halves(family.repeat(30)), [family.repeat(20), family.repeat(10)]);
});

test('days are groups by the calendar, not by hours', () => {
  const now = new Date(2026, 10, 21, 0, 30);
  const at = (/** @type {number} */ minutes) => now.getTime() / 1000 - minutes * 60;
  assert.equal(dayGroup(at(10), now), 'today');
  assert.equal(dayGroup(at(40), now), 'yesterday');
  assert.equal(dayGroup(at(60 * 24 + 40), now), 'earlier');
});
