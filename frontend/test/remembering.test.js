import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ui } from '../src/actions/ui.js';
import { Store } from '../src/store.js';

function opened() {
  /** @type {any[]} */
  const saved = [];
  const store = new Store();
  store.ready.value = true;
  const bridge = { invoke: async (/** @type {string} */ _name, /** @type {any} */ { ui }) => void saved.push(ui) };
  return { saved, ui: new Ui(/** @type {any} */ ({ store, bridge })) };
}

test('conversation that is opened is saved at once, so that a reload just then finds it again', () => {
  const { saved, ui } = opened();
  ui.remember({ conversation_id: 'c1' });
  assert.deepEqual(saved, [{ conversation_id: 'c1' }]);
});

test('what is being typed waits for a pause, and goes along with what is saved before', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { saved, ui } = opened();
  ui.remember({ drafts: { new: 'L' } });
  ui.remember({ drafts: { new: 'Ll' } });
  assert.deepEqual(saved, []);
  ui.remember({ conversation_id: 'c1' });
  assert.deepEqual(saved, [{ conversation_id: 'c1', drafts: { new: 'Ll' } }]);
  ui.remember({ drafts: { new: 'Lla' } });
  t.mock.timers.runAll();
  assert.equal(saved.length, 2);
});
