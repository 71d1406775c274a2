/** The words of the view Servers. */
import { count } from '../format.js';
import { plural } from './plural.js';

export const servers = {
  title: 'Servers',
  /** @param {number} running @param {number} waiting */
  summary: (running, waiting) =>
    `${running ? `${count(running)} running` : 'None running'}${waiting ? ` · ${plural(waiting, 'request waits', 'requests wait')}` : ''}`,
  unloadAll: 'Unload all',
  noneTitle: 'No model is running',
  noneBody: 'A model starts by itself when you or another program asks it, and leaves when it has not been used for a while. Or start one here.',
  noModels: 'Open a model file first: any GGUF file that llama.cpp can run will do.',
  resting: 'Not running',
  start: 'Start',
  /** @param {string} model */
  startOf: (model) => `Start ${model}`,
  startHint: 'Try again',
  dismiss: 'Dismiss',
  dismissHint: 'Forget this failure',
  stop: 'Stop',
  stopHint: 'Stop at once; answers under way end',
  restart: 'Restart',
  restartHint: 'Stop at once and start again; answers under way end',
  unload: 'Unload',
  unloadHint: 'Stop it; nobody uses it',
  unloadBusyHint: 'Stop it as soon as its answers have ended',
  /** @param {string} state */
  machine: (state) => `Not loaded, loading, ready, unloading or failed. Now: ${state}`,
  /** @param {string[]} others */
  held: (others) => `It is loaded as soon as ${others.length ? `${others.join(' and ')} ${others.length > 1 ? 'are' : 'is'} unloaded` : 'there is room for it'}.`,
  engine: 'Engine',
  engines: /** @type {Record<string, string>} */ ({ settings: 'From the settings', installed: 'Installed', path: 'From PATH', bundled: 'Came with Llamero', embedded: 'Built in' }),
  process: 'Process',
  /** @param {number} port */
  port: (port) => `port ${port}`,
  up: 'Up',
  since: 'For',
  requests: 'Requests',
  /** @param {number} running @param {number} waiting */
  requestsNow: (running, waiting) => `${running ? count(running) : 'None'} running${waiting ? `, ${count(waiting)} waiting` : ''}`,
  /** @param {number} waiting */
  waiting: (waiting) => plural(waiting, 'request waits for it', 'requests wait for it'),
  slots: 'Slots',
  slotsHint: 'How many requests it answers now, of those that it can answer at once',
  /** @param {number} busy @param {number} slots */
  slotsInUse: (busy, slots) => `${count(busy)} of ${count(slots)} in use`,
  context: 'Context',
  contextHint: 'What its answers take of the context: all of them together where they share one, else the longest',
  /** @param {number} used @param {number} limit */
  contextInUse: (used, limit) => `${count(used)} of ${plural(limit, 'token', 'tokens')}`,
  cpu: 'CPU',
  cpuHint: '100 % is one core',
  memory: 'Memory',
  vram: 'GPU memory',
  /** @param {string} size */
  about: (size) => `about ${size}`,
  restarts: 'Restarts',
  unloads: 'Unloads',
  never: 'Never',
  /** @param {string} time */
  at: (time) => `${time}, if not used`,
  file: 'File',
  /** @param {number} layers */
  layers: (layers) => plural(layers, 'layer', 'layers'),
  /** @param {number} value */
  arguments: (value) => (value ? plural(value, 'argument', 'arguments') : 'No arguments'),
  argument: 'Argument',
  origin: 'From',
  noArguments: 'Everything is left to the engine.',
  origins: /** @type {Record<string, string>} */ ({ settings: 'Settings', variant: 'Engine variant', alias: 'Alias', config: 'Model settings', model: 'The model itself' }),
  originHints: /** @type {Record<string, string>} */ ({
    settings: 'engine.arguments in the settings: for every model',
    variant: 'engine.variant_arguments in the settings: for this engine variant',
    alias: 'Written for this name',
    config: 'Set beside the chat or with the name',
    model: 'The file says that it is for embeddings',
  }),
  /** @param {number} value */
  exits: (value) => `Ended unexpectedly ${value === 1 ? 'once' : `${count(value)} times`}`,
  /** @param {string} time */
  ran: (time) => `after running ${time}`,
  output: 'Output',
};
