/**
 * A run in words: the machine, the engine, changes, and all of it as Markdown. Pure.
 *
 * @typedef {import('../../types/bridge.js').BenchReport} BenchReport
 * @typedef {import('../../types/bridge.js').BenchRun} BenchRun
 * @typedef {import('../../types/bridge.js').BenchComparison} BenchComparison
 */
import { count, dateAndTime, decimal, duration, gigabytes, speed } from '../../format.js';
import { bench as words } from '../../i18n/bench.js';
import { changeOf } from './figures.js';

/** Smaller changes are nobody's doing. */
const NOTABLE_PERCENT = 3;

/** @param {BenchRun} run */
export function machine({ hardware }) {
  const cores = hardware.cores ?? hardware.threads;
  const memory = hardware.memory === null ? [] : [`${gigabytes(hardware.memory)} GB`];
  const gpus = hardware.gpus.length ? hardware.gpus : [words.noGpu];
  return [hardware.cpu, ...(cores === null ? [] : [words.cores(cores)]), ...memory, ...gpus].join(' · ');
}

/** What a run ran on, by name. @param {BenchRun} run @returns {[string, string][]} */
export function facts(run) {
  const { engine } = run;
  /** @type {[string, string][]} */
  const about = engine
    ? [
        [words.facts.engine, [engine.kind, engine.variant, engine.build].filter(Boolean).join(' ')],
        [words.facts.arguments, engine.arguments || words.noArguments],
        ...(engine.context === null ? [] : /** @type {[string, string][]} */ ([[words.facts.context, words.contextOf(engine.context, engine.slots)]])),
      ]
    : [[words.facts.engine, run.place === 'fallback' ? words.fallback : words.remote]];
  return [...about, [words.facts.machine, machine(run)]];
}

/** @param {BenchComparison} comparison */
export function against({ started_at, differences }) {
  const when = dateAndTime(started_at);
  return differences.length ? words.differs(when, differences.map((one) => words.differences[one]).join(', ')) : words.same(when);
}

/** @param {number} percent */
export const change = (percent) => {
  const size = Math.abs(percent);
  return `${percent < 0 ? '−' : '+'}${size < 10 ? decimal(size) : count(size)} %`;
};

/** Whether a change is for better, for worse, or too small to be either. @param {number} percent */
export const tendency = (percent) => (Math.abs(percent) < NOTABLE_PERCENT ? 'same' : percent > 0 ? 'better' : 'worse');

/** @param {BenchReport} report */
export function asMarkdown(report) {
  const { run, comparison } = report;
  const columns = words.columns;
  const names = [columns.prompt, columns.streams, `${columns.reading} (tokens/s)`, `${columns.writing} (tokens/s)`, `${columns.together} (tokens/s)`, columns.first];
  const rows = run.results.map((result) => {
    const changes = changeOf(report, result);
    const cell = (/** @type {'prompt_speed' | 'generation_speed' | 'total_speed'} */ name) =>
      changes ? `${speed(result[name])} (${change(changes[name])})` : speed(result[name]);
    return [count(result.prompt_tokens), count(result.case.streams), cell('prompt_speed'), cell('generation_speed'), cell('total_speed'), duration(result.first_token_ms)];
  });
  const line = (/** @type {string[]} */ cells) => `| ${cells.map(escaped).join(' | ')} |`;
  return [
    `**${escaped(run.model)}**, ${dateAndTime(run.started_at)}`,
    '',
    ...[...facts(run), [words.facts.version, run.version]].map(([name, value]) => `* ${name}: ${value}`),
    ...(comparison ? [`* ${against(comparison)}`] : []),
    '',
    line(names),
    `|${names.map(() => '---:').join('|')}|`,
    ...rows.map(line),
    '',
  ].join('\n');
}

/** @param {string} cell */
const escaped = (cell) => cell.replaceAll('|', '\\|');
