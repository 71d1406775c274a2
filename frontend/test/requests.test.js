import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Requests } from '../src/requests.js';
import { changes, pretty, sorted } from '../src/views/requests/lines.js';
import { curl, javascript, python } from '../src/views/requests/snippets.js';

const KEY = 'LLAMERO_API_KEY';
const call = { url: 'http://127.0.0.1:5526/v1/chat/completions', body: `{"model":"m","messages":[{"content":"it's $HOME, \\"true\\""}],"stream":true,"stop":null,"n":[]}` };
const summary = (/** @type {string} */ id, more = {}) => /** @type {any} */ ({ id, outcome: 'finished', ...more });

test('snippets take the key from the environment and nowhere else', () => {
  for (const write of [curl, python, javascript]) {
    const written = write(call);
    assert.ok(written.includes(KEY));
    assert.ok(written.includes(call.url));
  }
});

test('curl snippet keeps quotes and dollars from the shell', () => {
  assert.ok(curl(call).includes(`it'\\''s $HOME`));
});

test('python snippet spells JSON as Python does', () => {
  const written = python(call);
  assert.match(written, /"stream": True,/);
  assert.match(written, /"stop": None,/);
  assert.match(written, /"n": \[\],/);
  assert.ok(written.includes('"it\'s $HOME, \\"true\\""'), 'a text is not touched');
});

test('lines that differ are found whatever the order of the fields', () => {
  const lines = changes(sorted('{"b":1,"a":[1,2]}'), sorted('{"a":[1,2],"b":2}'));
  assert.deepEqual(lines.filter((line) => line.kind === 'removed' || line.kind === 'added'), [
    { kind: 'removed', text: '  "b": 1' },
    { kind: 'added', text: '  "b": 2' },
  ]);
});

test('a field that is added behind the last one changes no other line', () => {
  const kinds = changes(sorted('{"a":1}'), sorted('{"a":1,"b":2}')).map((line) => line.kind);
  assert.equal(kinds.filter((kind) => kind === 'added').length, 1);
  assert.equal(kinds.includes('removed'), false);
});

test('lines far from any change are left out', () => {
  const many = Array.from({ length: 100 }, (_, at) => `line ${at}`);
  const lines = changes(many.join('\n'), [...many.slice(0, 50), 'new', ...many.slice(50)].join('\n'));
  assert.deepEqual(lines.map((line) => line.kind), ['gap', 'same', 'same', 'same', 'added', 'same', 'same', 'same', 'gap']);
});

test('what is no JSON stays as it is', () => {
  assert.equal(pretty('{broken'), '{broken');
  assert.equal(sorted('a,\nb'), 'a,\nb');
});

test('new requests come first, and known ones change in their place', () => {
  const state = new Requests();
  state.put([summary('a'), summary('b')]);
  assert.deepEqual(state.list.value.map((one) => one.id), ['b', 'a']);
  state.put([summary('a', { outcome: 'failed' }), summary('c')]);
  assert.deepEqual(state.list.value.map((one) => [one.id, one.outcome]), [['c', 'finished'], ['b', 'finished'], ['a', 'failed']]);
});

test('rows are bounded', () => {
  const state = new Requests();
  state.put(Array.from({ length: 1000 }, (_, at) => summary(`r${at}`)));
  assert.equal(state.list.value.length, 300);
  assert.equal(state.list.value[0]?.id, 'r999');
});

test('a third request takes the place of the first that was chosen for comparison', () => {
  const state = new Requests();
  for (const id of ['a', 'b', 'c']) state.toggleCompared(id);
  assert.deepEqual(state.compared.value, ['b', 'c']);
  state.toggleCompared('b');
  assert.deepEqual(state.compared.value, ['c']);
});
