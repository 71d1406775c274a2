import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effect } from '@preact/signals-core';
import { span } from '../src/format.js';
import { KEPT_LINES, LogRing } from '../src/log_ring.js';
import { matcher } from '../src/views/logs/filter.js';

const line = (/** @type {string} */ text, more = {}) => /** @type {any} */ ({ at: 1, level: 'info', source: 'app', name: 'llamero.services', text, ...more });
const lines = (/** @type {number} */ first, /** @type {number} */ length) => ({ first, lines: Array.from({ length }, (_, i) => line(`line ${first + i}`)) });

test('lines that come as history and as news are taken once', () => {
  const ring = new LogRing();
  ring.add(lines(0, 3));
  ring.add(lines(1, 4));
  ring.add(lines(2, 2));
  assert.deepEqual(ring.lines.map((one) => one.text), ['line 0', 'line 1', 'line 2', 'line 3', 'line 4']);
  assert.equal(ring.next, 5);
});

test('a gap in the numbers is told', () => {
  const ring = new LogRing();
  /** @type {number[]} */
  const skipped = [];
  effect(() => void skipped.push(ring.news.value.skipped));
  ring.add(lines(90, 2));
  ring.add(lines(100, 1));
  assert.deepEqual(skipped, [0, 0, 8]);
});

test('a flood leaves the newest lines and bounded memory', () => {
  const ring = new LogRing();
  for (let batch = 0; batch < 400; batch++) ring.add(lines(batch * 500, 500));
  assert.ok(ring.lines.length <= KEPT_LINES + 1000);
  assert.equal(ring.lines.at(-1)?.text, 'line 199999');
});

test('filter goes by level, source and every word', () => {
  const all = [
    line('The model is ready'),
    line('slot released', { source: 'engine', name: 'qwen' }),
    line('no memory', { level: 'error' }),
    line('gone', { level: 'critical' }),
  ];
  const shown = (/** @type {any} */ change) => all.filter(matcher({ level: 'debug', source: 'all', query: '', ...change })).map((one) => one.text);
  assert.equal(shown({}).length, 4);
  assert.deepEqual(shown({ level: 'error' }), ['no memory', 'gone']);
  assert.deepEqual(shown({ source: 'engine' }), ['slot released']);
  assert.deepEqual(shown({ query: 'QWEN released' }), ['slot released']);
  assert.deepEqual(shown({ query: 'ready model' }), ['The model is ready']);
  assert.deepEqual(shown({ query: 'ready memory' }), []);
});

test('span has whole units', () => {
  assert.deepEqual([5, 65, 3700, 90_061].map(span), ['5 s', '1 min 5 s', '1 h 1 min', '1 d 1 h']);
});
