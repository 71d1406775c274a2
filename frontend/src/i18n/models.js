/** The words of the model picker and of the side panel, which set how a model is run and answers. */
import { count } from '../format.js';

export const models = {
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
  /** @param {string} name */
  dropWithoutPath: (name) => `A page is not told where ${name} is. Write its path here.`,
  sees: 'sees pictures',
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
};
