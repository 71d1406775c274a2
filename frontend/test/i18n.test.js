import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chat } from '../src/i18n/chat.js';
import { frame } from '../src/i18n/frame.js';
import { models } from '../src/i18n/models.js';

test('words of no part displace those of another', () => {
  const names = [frame, chat, models].flatMap((part) => Object.keys(part));
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
});
