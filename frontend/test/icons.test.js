/** An icon that the sprite lacks shows nothing, and nobody is told. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LUCIDE, OURS } from '../vite/icon_sprite.js';

const source = join(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
const named = (/** @type {string} */ file) => [...readFileSync(join(source, file), 'utf8').matchAll(/(?:icon|action)\('([a-z0-9-]+)'/g)].map(([, name]) => name);

test('every icon that is drawn by name is in the sprite', () => {
  const used = new Set(files.flatMap(named));
  assert.ok(used.size > 15);
  assert.deepEqual([...used].filter((name) => ![...LUCIDE, ...OURS].includes(name)), []);
});
