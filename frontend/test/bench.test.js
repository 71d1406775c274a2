/** What is drawn and copied of a bench. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alone, bars, together } from '../src/views/bench/figures.js';
import { asMarkdown, change, facts, tendency } from '../src/views/bench/words.js';

const result = (prompt, streams, speed) => ({
  case: { prompt, streams }, prompt_tokens: prompt, prompt_speed: 10 * speed, generation_speed: speed, total_speed: speed * streams,
  first_token_ms: 12, spread: 0.1, rounds: 3,
});
const run = (results, more = {}) => ({
  id: 2, model: 'a|b', place: 'local', started_at: 0, end: 'complete', quick: false, version: '1', planned: 3, note: '', file: '', file_size: 0,
  hardware: { cpu: 'CPU', cores: 2, threads: 4, memory: 1024 ** 3, gpus: [] },
  engine: { kind: 'embedded', variant: 'cpu', build: '1', arguments: '', context: 4096, slots: null }, results, ...more,
});
const RESULTS = [result(128, 1, 20), result(512, 1, 10), result(128, 4, 5)];
const report = {
  run: run(RESULTS),
  comparison: {
    id: 1, started_at: 0, differences: [],
    changes: [{ case: { prompt: 128, streams: 1 }, prompt_speed: 100, generation_speed: -50, total_speed: 0 }],
  },
};
const label = (one) => String(one.case.prompt);

test('cases of one stream and cases of the shortest prompt are told apart', () => {
  assert.deepEqual(alone(report).map(label), ['128', '512']);
  assert.deepEqual(together(report).map((one) => one.case.streams), [1, 4]);
});

test('bars are shares of the longest of both runs, and one without a past has none', () => {
  const [first, second] = bars(report, alone(report), 'generation_speed', label);
  assert.deepEqual([first.share, first.before, first.change], [0.5, 1, -50]);
  assert.deepEqual([second.share, second.before, second.change], [0.25, null, null]);
  assert.deepEqual(bars({ run: run([]), comparison: null }, [], 'total_speed', label), []);
});

test('a lost speed has no bar of infinite length', () => {
  const changes = [{ case: { prompt: 128, streams: 1 }, prompt_speed: -100, generation_speed: -100, total_speed: -100 }];
  const gone = { run: run([result(128, 1, 0)]), comparison: { ...report.comparison, changes } };
  assert.deepEqual(bars(gone, alone(gone), 'total_speed', label).map((bar) => [bar.share, bar.before]), [[0, null]]);
});

test('changes are told with a sign, and small ones are nobody’s doing', () => {
  assert.deepEqual([2.94, -12.4].map(change), ['+2.9 %', '−12 %']);
  assert.deepEqual([2.9, -2.9, 3, -3].map(tendency), ['same', 'same', 'better', 'worse']);
});

test('a model elsewhere has no engine but a word about it', () => {
  assert.match(facts(run(RESULTS, { engine: null, place: 'remote' }))[0][1], /end to end/);
});

test('markdown is a table whose cells cannot be broken by a name', () => {
  const markdown = asMarkdown(report);
  assert.match(markdown, /^\*\*a\\\|b\*\*/);
  const rows = markdown.split('\n').filter((line) => line.startsWith('| '));
  assert.equal(rows.length, 1 + RESULTS.length);
  assert.equal(rows[1], '| 128 | 1 | 400 (+100 %) | 20.0 (−50 %) | 20.0 (+0.0 %) | 12 ms |'.replace('400', '200'));
});
