/** The words of the view Bench. */
import { count } from '../format.js';

/** @param {number} streams */
const streamsOf = (streams) => `${count(streams)} ${streams === 1 ? 'stream' : 'streams'}`;

export const bench = {
  title: 'Bench',
  model: 'Model',
  extent: 'How much is measured',
  quick: 'Quick',
  quickHint: 'Short prompts, few streams: a fraction of the time',
  full: 'Full',
  fullHint: 'Prompts of up to 4,096 tokens, up to 8 streams',
  measure: 'Measure',
  stop: 'Stop',
  emptyTitle: 'How fast is it here?',
  emptyBody: 'Measure how fast a model reads prompts and writes answers on this computer. Every run is kept, so you see what a new engine, a setting or a driver changed.',
  /** @param {string} model */
  measureModel: (model) => `Measure ${model}`,
  noModels: 'Open a model in the chat first; then its speed can be measured here.',
  /** @param {string} model */
  loading: (model) => `Loading and warming up ${model}`,
  /** @param {string} model @param {number} prompt @param {number} streams */
  measuring: (model, prompt, streams) => `Measuring ${model}: ${count(prompt)} tokens, ${streamsOf(streams)}`,
  /** @param {number} done @param {number} planned @param {number} round @param {number} rounds */
  progress: (done, planned, round, rounds) => `${done} of ${planned}, round ${round} of ${rounds}`,
  progressLabel: 'Cases measured',
  run: 'Run',
  against: 'Compare with',
  nothingToCompare: 'No earlier run',
  /** @param {string} when */
  same: (when) => `Against ${when}, with the same engine, arguments and machine.`,
  /** @param {string} when @param {string} what */
  differs: (when, what) => `Against ${when}. Not the same: ${what}.`,
  differences: { file: 'model file', hardware: 'machine', engine: 'engine', arguments: 'arguments', place: 'place' },
  stopped: 'Stopped before its end; what was measured is kept.',
  remote: 'Measured end to end, network and waiting included.',
  fallback: 'Measured end to end; whichever model answered first.',
  noArguments: 'no arguments',
  noGpu: 'no GPU',
  /** @param {number} cores */
  cores: (cores) => `${count(cores)} ${cores === 1 ? 'core' : 'cores'}`,
  facts: { engine: 'Engine', arguments: 'Arguments', context: 'Context', machine: 'Machine', version: 'Llamero' },
  /** @param {number} tokens @param {number | null} slots */
  contextOf: (tokens, slots) => `${count(tokens)} tokens${slots === null ? '' : `, ${count(slots)} ${slots === 1 ? 'slot' : 'slots'}`}`,
  reading: 'Reading a prompt',
  readingHelp: 'tokens/s, by length of prompt',
  writing: 'Writing an answer',
  writingHelp: 'tokens/s, by length of the prompt before it',
  together: 'Several streams at once',
  togetherHelp: 'tokens/s written by all of them',
  streamsOf,
  table: 'All that was measured',
  columns: {
    prompt: 'Prompt',
    streams: 'Streams',
    reading: 'Reads',
    writing: 'Writes',
    together: 'All streams',
    first: 'First token',
    spread: 'Spread',
  },
  units: { prompt: 'tokens', streams: '', reading: 'tokens/s', writing: 'tokens/s', together: 'tokens/s', first: '', spread: '' },
  copyMarkdown: 'Copy as Markdown',
  copyJson: 'Copy as JSON',
};
