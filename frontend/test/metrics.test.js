import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardsOf } from '../src/views/metrics/cards.js';
import { bands, extended, fits, nearest } from '../src/views/metrics/history.js';
import { legendRows } from '../src/views/metrics/picture.js';
import { marked, told } from '../src/views/metrics/units.js';

const load = (values, peaks = null) => ({ quantity: 'cpu.load', unit: 'percent', subject: null, values, peaks });
const of = (subject, values) => ({ quantity: 'server.cpu', unit: 'percent', subject, values, peaks: null });
const past = (times, series, more = {}) => ({ range: '5m', resolution_s: 1, start: times[0] ?? 0, end: times.at(-1) ?? 0, times, series, generations: [], ...more });

test('an addition extends what is known and forgets what has left the range', () => {
  const whole = extended(past([1, 2, 3], [load([10, null, 30])]), past([4, 5], [load([40, 50])], { start: 2 }));
  assert.deepEqual(whole.times, [2, 3, 4, 5]);
  assert.deepEqual(whole.series[0].values, [null, 30, 40, 50]);
  assert.deepEqual([whole.start, whole.end], [2, 5]);
});

test('a series that begins or ends is null where it is not known', () => {
  const whole = extended(past([1, 2], [load([1, 2]), of('old', [7, 8])]), past([3], [load([3]), of('new', [9])], { start: 1 }));
  const values = Object.fromEntries(whole.series.map((one) => [one.subject, one.values]));
  assert.deepEqual(values, { null: [1, 2, 3], old: [7, 8, null], new: [null, null, 9] });
});

test('a series of which nothing is left is gone', () => {
  const whole = extended(past([1, 2], [load([1, 2]), of('old', [7, null])]), past([3], [load([3])], { start: 2 }));
  assert.deepEqual(whole.series.map((one) => one.quantity), ['cpu.load']);
});

test('peaks are extended with their means', () => {
  const whole = extended(past([1], [load([1], [5])]), past([2], [load([2], [6])], { start: 0 }));
  assert.deepEqual(whole.series[0].peaks, [5, 6]);
});

test('an addition from before the last time does not fit', () => {
  const known = past([1, 2, 3], [load([1, 2, 3])]);
  assert.equal(fits(known, past([], [], { end: 3 })), true);
  assert.equal(fits(known, past([], [], { end: 2.9 })), false);
  assert.equal(fits(known, past([], [], { end: 9, range: '1h' })), false);
});

test('a band that goes on replaces the one that it was', () => {
  const whole = extended(
    past([1, 2], [load([1, 2])], { generations: [{ alias: 'm', start: 1, end: 2 }] }),
    past([3], [load([3])], { start: 1, generations: [{ alias: 'm', start: 1, end: 3 }, { alias: 'n', start: 2, end: 3 }] }),
  );
  assert.deepEqual(whole.generations, [{ alias: 'm', start: 1, end: 3 }, { alias: 'n', start: 2, end: 3 }]);
  assert.deepEqual(bands([]), []);
});

test('the nearest value is looked for backwards, and not for ever', () => {
  assert.equal(nearest([1, null, null], 2, 2), 1);
  assert.equal(nearest([1, null, null], 2, 1), null);
  assert.equal(nearest([0, null], 0, 0), 0);
  assert.equal(nearest([], -1, 5), null);
});

const GPU = { index: 0, name: 'Card', source: 'nvml', utilization: 1, memory_used: 2, memory_total: 4, temperature_c: null, power_w: 3, uuid: null };
const snapshot = (gpus, note = null) => ({
  hardware: { at: 1, monotonic: 1, cpu: 1, cpu_cores: [1, 2], ram_used: 1, ram_total: 8 * 1024 ** 3, gpus, gpu_note: note },
  servers: [],
  running: 0,
  waiting: 0,
});

test('a GPU without a sensor has a note for it and no line', () => {
  const series = ['load', 'memory', 'power'].map((name) => ({ quantity: `gpu.${name}`, unit: 'percent', subject: '0', values: [1], peaks: null }));
  const card = cardsOf(past([1], series), snapshot([GPU]), false).find((one) => one.id === 'gpu-0');
  assert.deepEqual(card.notes, ['No temperature sensor.']);
  assert.deepEqual(card.plots.map((plot) => plot.lines.map((line) => line.key)), [['gpu.load/0', 'gpu.memory/0'], ['gpu.power/0']]);
});

test('a GPU that has vanished keeps the past that it has', () => {
  const series = [{ quantity: 'gpu.load', unit: 'percent', subject: '1', values: [1], peaks: null }];
  const card = cardsOf(past([1], series), snapshot([]), false).find((one) => one.id === 'gpu-1');
  assert.deepEqual(card.notes, ['This GPU does not answer any more.']);
  assert.equal(card.plots.length, 1);
});

test('a machine without GPU says what was found', () => {
  const [card] = cardsOf(past([1], []), snapshot([], 'No driver.'), false);
  assert.deepEqual([card.id, card.notes], ['computer', ['No driver.']]);
});

test('values carry the units that people expect', () => {
  assert.equal(told('bytes', 1.5 * 1024 ** 3), '1.5 GB');
  assert.equal(told('bytes', 36 * 1024 ** 2), '36.0 MB');
  assert.equal(told('percent', 12.34), '12 %');
  assert.equal(told('celsius', 61), '61 °C');
  assert.equal(told('watts', 1200), '1,200 W');
  assert.equal(told('tokens_per_second', 41.25), '41.3 tokens/s');
  assert.equal(told('seconds', 0.345), '345 ms');
  assert.equal(told('seconds', 4.26), '4.3 s');
  assert.equal(told('percent', null), '–');
  assert.equal(marked('bytes', 8 * 1024 ** 3), '8 GB');
});

test('a value is told with how much there could be, where that is known', () => {
  assert.equal(told('tokens', 303, 8192), '303 of 8,192 tokens');
  assert.equal(told('count', 3, 4), '3 of 4');
  assert.equal(told('tokens', 303, null), '303 tokens');
  assert.equal(told('tokens', null, 8192), told('tokens', null));
});

test('a legend in a picture takes as many rows as it needs', () => {
  const entry = (label, more = {}) => ({ line: { key: label, label, hue: 1, unit: 'count', ...more }, value: '0' });
  const rows = legendRows([entry('Context'), entry('Slots'), entry('Core 1', { quiet: true }), entry('Waiting')], 220, (label) => 10 * label.length);
  assert.deepEqual(rows.map((row) => row.map((one) => one.label)), [['Context 0', 'Slots 0'], ['Waiting 0']]);
  assert.deepEqual(legendRows([entry('longer than the picture is wide')], 20, (label) => 10 * label.length).length, 1);
});
