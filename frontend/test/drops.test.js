/** Where a dropped file is, as far as the system tells. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathOf } from '../src/drops.js';

test('path of a dropped file is read from its address', () => {
  assert.equal(pathOf('# from a file manager\r\nfile:///home/ana/my%20models/q%C3%A9.gguf\r\n'), '/home/ana/my models/qé.gguf');
  assert.equal(pathOf('file:///C:/models/a.gguf'), 'C:/models/a.gguf');
  assert.equal(pathOf('file://localhost/a.gguf'), '/a.gguf');
});

test('what is elsewhere, no file or no address has no path', () => {
  for (const list of ['', 'https://example.com/a.gguf', 'file://server/share/a.gguf', 'file:///%E0%A4%A']) assert.equal(pathOf(list), null);
});
