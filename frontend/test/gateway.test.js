import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BridgeError } from '../src/bridge.js';
import { aliasOf, valuesOf, wrongOf } from '../src/views/gateway/alias_values.js';

/** @type {import('../src/views/gateway/alias_values.js').Alias[]} */
const ALIASES = [
  {
    type: 'user', name: 'house', file: '', hub: 'owner/repo:Q4', defaults: { temperature: 0.7, stop: ['a=b', 'ü'], deep: { a: null } }, system_prompt: 'Be\nbrief. ',
    context_length: 4096, gpu_layers: -1, threads: null, parallel: 2, embedding: true, arguments: ['--top-k 5', '-fa on'], keep_alive_s: 0.5, rpc: ['one:1', 'two:2'],
  },
  { type: 'api', name: 'far', base_url: 'https://example.com/v1', prefix: 'far/', models: ['a', 'b:c'], forward_all: true, headers: { 'X-Team': 'a: b', 'X-Empty': '' }, strip: ['seed'] },
  { type: 'fallback', name: 'any', targets: ['far/a', 'house'], cooldown_s: 0 },
];

for (const alias of ALIASES) {
  test(`alias of kind ${alias.type} goes through its form unchanged`, () => {
    assert.deepEqual(aliasOf(alias.type, valuesOf(alias.type, alias)), { alias, wrong: {} });
  });
}

test('alias form says which line is no default, no header, no number', () => {
  assert.match(aliasOf('user', { defaults: 'top_p=0.9\ntemperature' }).wrong['defaults'] ?? '', /“temperature”/);
  assert.match(aliasOf('user', { defaults: 'stop=END' }).wrong['defaults'] ?? '', /“stop=END”/);
  assert.match(aliasOf('api', { headers: 'no colon' }).wrong['headers'] ?? '', /“no colon”/);
  assert.ok(aliasOf('user', { threads: 'six' }).wrong['threads']);
});

test('refusal stands at the field that it is about, and else over the form', () => {
  const values = valuesOf('user', null);
  const refusal = (/** @type {string | null} */ param, reason = 'alias_error-x') => new BridgeError('invalid_request', 'No.', 400, { param, reason });
  assert.deepEqual(wrongOf(refusal('file'), values), { file: 'No.' });
  assert.deepEqual(wrongOf(refusal('alias.rpc[2]'), values), { rpc: 'No.' });
  assert.deepEqual(wrongOf(refusal('somewhere'), values), { '': 'No.' });
  assert.deepEqual(wrongOf(refusal(null), values), { '': 'No.' });
  assert.notEqual(wrongOf(refusal('alias.name', 'bridge_error-wrong_argument'), values)['name'], 'No.');
});
