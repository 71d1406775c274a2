/** Every word that the page shows, in one place. Sentence case, short, no exclamation marks, no blame. */
import { count } from './format.js';
import { bench } from './i18n_bench.js';
import { gateway } from './i18n_gateway.js';
import { requests } from './i18n_requests.js';
import { settings as preferences } from './i18n_settings.js';

/** @param {number} value @param {string} one @param {string} many */
const plural = (value, one, many) => `${count(value)} ${value === 1 ? one : many}`;

export const text = {
  app: 'Llamero',
  // The frame
  views: 'Views',
  bench,
  viewMissing: 'This view cannot be opened. Reload the page: Llamero may have been updated.',
  chat: 'Chat',
  connecting: 'Connecting to Llamero',
  lost: 'The connection to Llamero is lost. Trying again. If it was closed, start it and use its new address.',
  refusedTitle: 'This page has an old key',
  refusedBody: 'Llamero was started again after this page was opened, and every start has a key of its own. Your conversations are safe.',
  refusedDo: 'Close this page and open the address that Llamero printed when it started, or use its window.',
  noTokenTitle: 'This page has no key',
  noTokenBody: 'Llamero lets in only pages that carry the key of this start.',
  dismiss: 'Dismiss',
  // Conversations
  conversations: 'Conversations',
  showList: 'Show conversations',
  hideList: 'Hide conversations',
  newChat: 'New chat',
  newChatHint: 'New chat (Ctrl+N)',
  search: 'Search',
  searchLabel: 'Search conversations',
  clearSearch: 'Clear search',
  today: 'Today',
  yesterday: 'Yesterday',
  earlier: 'Earlier',
  noConversations: 'Your conversations will be listed here.',
  /** @param {string} query */
  nothingFound: (query) => `Nothing found for “${query}”.`,
  rename: 'Rename',
  title: 'Title',
  delete: 'Delete',
  /** @param {string} title */
  deleted: (title) => `Deleted “${title}”`,
  undo: 'Undo',
  answering: 'Answering',
  // Model picker
  model: 'Model',
  chooseModel: 'Choose a model',
  models: 'Models',
  demo: 'Demo',
  demoNote: 'Tiny, makes up sentences',
  modelKind: { user: '', model: '', api: 'Remote', fallback: 'Fallback' },
  modelKindNote: { user: '', model: '', api: 'Another server answers', fallback: 'The first of several that works answers' },
  embedding: 'Embeddings only',
  missing: 'The file is not there any more',
  load: 'Load',
  unload: 'Unload',
  openModelFile: 'Open a model file…',
  modelPath: 'Path of a GGUF file',
  modelPathHint: '/home/me/models/model.gguf',
  openModelPath: 'Open',
  openByPath: 'Type a path…',
  /** @param {number} tokens */
  context: (tokens) => `${count(tokens)} tokens of context`,
  stateNames: { stopped: 'Not loaded', starting: 'Loading', ready: 'Ready', busy: 'Answering', stopping: 'Unloading', failed: 'Failed' },
  /** @param {string} model */
  modelFailed: (model) => `${model} could not be loaded.`,
  showLog: 'Show log',
  /** @param {string} model */
  logOf: (model) => `Log of ${model}`,
  logEmpty: 'The engine has not written anything.',
  close: 'Close',
  // Side panel
  settings: 'Answers and model',
  settingsHint: 'Settings for answers and the model',
  thisChat: 'This chat',
  systemPrompt: 'System prompt',
  systemPromptHelp: 'What the model is told before the conversation begins.',
  sampling: 'Sampling',
  samplingHelp: 'How the next word is picked. Empty fields leave the choice to the engine.',
  modelSettings: 'Model',
  /** @param {number} layers */
  gpuLayersOf: (layers) => `How many of the ${count(layers)} layers run on the GPU; 0 is none, -1 is all.`,
  /** @param {string} model */
  modelSettingsHelp: (model) => `How ${model} is run, in every chat. Used when it is loaded next; a loaded model is loaded again.`,
  automatic: 'automatic',
  saved: 'Saved',
  resetAll: 'Reset all',
  fields: {
    temperature: ['Temperature', '0 picks the likeliest word every time; 1 and above is freer.'],
    top_p: ['Top P', 'Only the likeliest words that together have this probability.'],
    top_k: ['Top K', 'Only this many of the likeliest words; 0 is all.'],
    min_p: ['Min P', 'Drops words less likely than this share of the likeliest one.'],
    repeat_penalty: ['Repeat penalty', 'Above 1 makes words that were just used less likely.'],
    presence_penalty: ['Presence penalty', 'Above 0 favours words that have not appeared yet.'],
    frequency_penalty: ['Frequency penalty', 'Above 0 makes frequent words less likely.'],
    max_tokens: ['Longest answer', 'In tokens, about ¾ of a word each.'],
    seed: ['Seed', 'The same seed and settings give the same answer.'],
    context_length: ['Context length', 'How many tokens of the conversation the model sees. More needs more memory.'],
    gpu_layers: ['GPU layers', 'How many layers run on the GPU; 0 is none, -1 is all.'],
    threads: ['Threads', 'How many processor threads generate text.'],
    keep_alive_s: ['Keep loaded for', 'Seconds without use until it is unloaded; -1 is for ever.'],
  },
  // Thread
  messages: 'Messages',
  you: 'You',
  earlierMessages: 'Show earlier messages',
  jumpToLatest: 'Jump to latest',
  copy: 'Copy',
  copied: 'Copied',
  copyMessage: 'Copy',
  retry: 'Retry',
  retryHint: 'Answer once more',
  edit: 'Edit',
  editLabel: 'Edit your message',
  sendEdit: 'Send',
  cancel: 'Cancel',
  previousBranch: 'Previous version',
  nextBranch: 'Next version',
  /** @param {number} index @param {number} total */
  branch: (index, total) => `${index} / ${total}`,
  thinking: 'Thinking',
  reasoning: 'Reasoning',
  /** @param {number} words */
  words: (words) => plural(words, 'word', 'words'),
  stopped: 'Stopped',
  interrupted: 'Llamero was closed while this was being written. What had been saved is above.',
  failedTitle: 'This answer failed',
  chooseAnother: 'Choose another model',
  table: 'Table',
  // Before the first token
  /** @param {string} model */
  queued: (model) => `Waiting for ${model} to finish other answers`,
  /** @param {string} model */
  waitingFor: (model) => `Waiting for ${model}`,
  /** @param {string} model */
  loading: (model) => `Loading ${model}`,
  reading: 'Reading your message',
  /** @param {number} done */
  readingTokens: (done) => `Reading ${plural(done, 'token', 'tokens')}`,
  /** @param {number} done @param {number} total */
  readingOf: (done, total) => `Reading ${count(done)} of ${plural(total, 'token', 'tokens')}`,
  /** @param {string} model */
  recovering: (model) => `${model} stopped unexpectedly. Starting it again and going on from here`,
  starting: 'Starting',
  // Stats
  /** @param {number} value */
  tokens: (value) => plural(value, 'token', 'tokens'),
  /** @param {string} value */
  tokensPerSecond: (value) => `${value} tokens/s`,
  /** @param {string} value */
  firstToken: (value) => `first token after ${value}`,
  /** @param {number} times */
  recovered: (times) => (times === 1 ? 'recovered once' : `recovered ${count(times)} times`),
  cutByLength: 'cut at the longest answer',
  cutByContext: 'cut because the context is full',
  // Composer
  messageLabel: 'Message',
  /** @param {string} model */
  messageHint: (model) => `Ask ${model}`,
  messageHintNoModel: 'Choose a model to begin',
  send: 'Send',
  sendHint: 'Send (Enter)',
  stop: 'Stop',
  stopHint: 'Stop (Esc)',
  // Empty states
  welcome: 'What would you like to ask?',
  welcomeFirst: 'Welcome',
  firstBody: 'Llamero runs language models on this computer. Nothing you write leaves it.',
  firstDemo: 'A tiny demo model is included, so you can see how everything works. It makes up sentences and is not a real assistant.',
  tryDemo: 'Try the demo',
  demoQuestion: 'Tell me about the mountains',
  /** @param {string} model */
  emptyBodyElsewhere: (model) => `${model} may run elsewhere. What you write is sent there.`,
  /** @param {string} model */
  emptyBody: (model) => `${model} runs on this computer. Nothing you write leaves it.`,
  noModels: 'Open a model file to begin. Any GGUF file that llama.cpp can run will do.',
  loadingConversation: 'Opening the conversation',
  // Servers
  servers: {
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
    engine: 'Engine',
    engines: /** @type {Record<string, string>} */ ({ settings: 'From the settings', installed: 'Installed', path: 'From PATH', bundled: 'Came with Llamero', embedded: 'Built in' }),
    process: 'Process',
    /** @param {number} port */
    port: (port) => `port ${port}`,
    up: 'Up',
    since: 'For',
    requests: 'Requests',
    /** @param {number} running @param {number} waiting */
    requestsNow: (running, waiting) => `${running ? count(running) : 'none'} running${waiting ? `, ${count(waiting)} waiting` : ''}`,
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
    at: (time) => `at ${time}, if not used`,
    file: 'File',
    /** @param {string} layers */
    layers: (layers) => `${layers} layers`,
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
  },
  // Log
  logs: {
    title: 'Logs',
    source: 'Written by',
    sources: /** @type {Record<string, string>} */ ({ all: 'Everything', app: 'Llamero', engine: 'Engines' }),
    level: 'Least level',
    levels: { debug: 'All levels', info: 'Info', warning: 'Warnings', error: 'Errors' },
    levelNames: /** @type {Record<string, string>} */ ({ debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'fatal' }),
    filter: 'Filter',
    filterLabel: 'Show only lines with these words',
    follow: 'Follow',
    following: 'Following',
    followHint: 'Keep the newest line in sight',
    copyHint: 'Copy the lines that are shown',
    openFile: 'Open file',
    empty: 'Nothing has been logged since Llamero was started.',
    nothingFits: 'No line fits the filter.',
    /** @param {number} value */
    skipped: (value) => `${plural(value, 'line', 'lines')} left out: more was written than can be shown. The file has all of it.`,
  },
  // Strip
  hardware: 'Hardware',
  cpu: 'CPU',
  ram: 'RAM',
  gpu: 'GPU',
  vram: 'VRAM',
  noGpu: 'no GPU',
  speed: 'Speed',
  /** @param {string} used @param {string} total */
  ofTotal: (used, total) => `${used} / ${total} GB`,
  unknown: '–',
  /** @param {string} part @param {string} whole */
  of: (part, whole) => `${part} of ${whole}`,
  openMetrics: 'Open the metrics',
  metrics: {
    title: 'Metrics',
    charts: 'Charts. The left and right arrows move through time.',
    range: 'Range',
    ranges: { '5m': '5 min', '1h': '1 h', '24h': '24 h' },
    eachCore: 'Each core',
    answering: 'Answering',
    saveTable: 'Save as CSV',
    savePicture: 'Save as picture',
    /** @param {string} range */
    pictureName: (range) => `llamero-metrics-${range}.png`,
    asking: 'Reading what was measured',
    young: {
      '5m': 'Measuring has just begun. The first lines appear in a few seconds.',
      '1h': 'Measuring has just begun. The hour fills with a point every 10 seconds.',
      '24h': 'Measuring has just begun. The day fills with a point every minute, and is kept when Llamero is closed.',
    },
    computer: 'This computer',
    processor: 'Processor',
    load: 'Load',
    /** @param {number} number */
    core: (number) => `Core ${number + 1}`,
    /** @param {number} number */
    cores: (number) => plural(number, 'core', 'cores'),
    memory: 'Memory',
    /** @param {number} place */
    gpu: (place) => `GPU ${place}`,
    /** @param {string} name @param {number} place */
    numbered: (name, place) => `GPU ${place}: ${name}`,
    noGpu: 'No GPU was found. Models run on the processor.',
    gpuGone: 'This GPU does not answer any more.',
    noSensor: { load: 'This GPU does not tell its load.', memory: 'This GPU does not tell its memory.', temperature: 'No temperature sensor.', power: 'No power sensor.' },
    temperature: 'Temperature',
    power: 'Power',
    speed: 'Speed',
    generation: 'Generation',
    prompt: 'Reading the prompt',
    /** @param {string} alias */
    promptOf: (alias) => `${alias}, prompt`,
    noServers: 'How fast models read and write is drawn here once one runs. Ask something in the chat, or from another program.',
    requests: 'Requests',
    running: 'Running',
    waiting: 'Waiting',
    firstToken: 'First token after',
    /** @param {string} alias */
    firstTokenOf: (alias) => `${alias}, first token after`,
    ofOneCore: 'CPU, of one core',
    /** @param {string} time */
    upFor: (time) => `up for ${time}`,
    context: 'Context in use',
    slots: 'Slots in use',
    serverGone: 'This model is not loaded any more.',
  },
  requests,
  preferences,
  gateway,
};

const apple = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);
if (apple) text.newChatHint = 'New chat (⌘N)';
