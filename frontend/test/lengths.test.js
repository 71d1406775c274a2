/** What is folded, and what is cut to fit a line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOf, isLong } from '../src/views/chat/lengths.js';

test('a question is long by its letters or by its lines', () => {
  assert.equal(isLong('How do I cross the pass?'), false);
  assert.equal(isLong('line\n'.repeat(20)), false);
  assert.equal(isLong('line\n'.repeat(30)), true);
  assert.equal(isLong('word '.repeat(600)), true);
});

test('the end of a thought is its last line, from a whole word on', () => {
  assert.equal(endOf('First.\nThen this.\n'), 'Then this.');
  assert.equal(endOf(''), '');
  const end = endOf('a llama goes over the pass '.repeat(20));
  assert.match(end, /^… (a|llama|goes|over|the|pass) /);
  assert.ok(end.endsWith('over the pass'));
  assert.ok(end.length <= 112);
});
