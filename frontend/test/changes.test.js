import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Changes } from '../src/changes.js';

test('a change builds on those under way, though what is known is older', async () => {
  const changes = new Changes();
  /** @type {object[]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const answers = [];
  const make = (/** @type {object} */ change) => {
    const whole = changes.onTop('k', { a: 0, b: 0 }, change);
    return changes.send('k', () => {
      sent.push(whole);
      return new Promise((done) => answers.push(() => done(undefined)));
    });
  };
  const first = make({ a: 1 });
  const second = make({ b: 2 });
  await Promise.resolve();
  assert.deepEqual(sent, [{ a: 1, b: 0 }], 'the second waits for the first');
  answers[0]?.();
  await first;
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(sent[1], { a: 1, b: 2 });
  answers[1]?.();
  await second;
  await changes.settled();
  assert.deepEqual(changes.onTop('k', { a: 7, b: 7 }, {}), { a: 7, b: 7 }, 'nothing is under way any more');
});

test('a change that fails does not hold up the next', async () => {
  const changes = new Changes();
  const failed = changes.send('k', () => Promise.reject(new Error('no')));
  const next = changes.send('k', async () => 'sent');
  await assert.rejects(failed, /no/);
  assert.equal(await next, 'sent');
});
