/** The words of the view Gateway: where other programs find Llamero, by which names and with which keys. */
import { count } from '../format.js';

export const gateway = {
  title: 'Gateway',
  open: 'Open to the programs of this computer',
  keyed: 'Open to whoever has a key',
  closed: 'The gateway is not open yet.',

  addresses: 'Addresses',
  addressesBody: 'Paste one of these into a program as its base URL. Ask for a model by one of the names below.',
  dialects: { openai: 'OpenAI', anthropic: 'Anthropic', ollama: 'Ollama' },
  secondPort: 'Ollama’s own port',
  /** @param {number} port */
  secondTaken: (port) => `Port ${port} is not open: another program has it. Close that program and start Llamero again.`,
  secondOff: 'Programs that look for Ollama by themselves use port 11434. It can be opened in the settings.',
  anyKey: 'Where a program insists on a key, any will do.',
  needsKey: 'Programs need one of the keys below.',
  copy: 'Copy',
  /** @param {string} what */
  copyOf: (what) => `Copy the address for ${what}`,

  names: 'Names',
  namesBody: 'Models under names of your own. They count from the next request on.',
  kinds: { user: 'Model', api: 'Remote server', fallback: 'Fallback' },
  noNames: 'No names of your own yet. Give a model one, know a server elsewhere, or name several to be tried in order.',
  add: { user: 'Name a model', api: 'Add a remote server', fallback: 'Add a fallback' },
  edit: 'Edit',
  /** @param {string} name */
  editOf: (name) => `Edit ${name}`,
  remove: 'Delete',
  /** @param {string} name */
  removeOf: (name) => `Delete ${name}`,
  /** @param {string} name */
  removed: (name) => `Deleted ${name}`,
  /** @param {string} name */
  confirmRemove: (name) => `Delete ${name}, and forget its key?`,
  /** @param {string} name */
  confirmRevoke: (name) => `Revoke ${name}? Programs that use it are refused from now on.`,
  missing: 'The file is not there',
  unknownTarget: 'not known',
  /** @param {string} when @param {string} reason */
  pausedUntil: (when, reason) => `left alone until ${when}: ${reason}`,
  keyStates: {
    missing: 'This server asks for a key. Edit it to give it one.',
    kept: 'Its key is kept.',
    rejected: 'This server does not take its key. Edit it to give it another.',
    unreadable: 'The system’s keyring does not give out its key now.',
  },
  everything: 'and everything else that it has',
  found: 'Found automatically',
  /** @param {number} models */
  foundBody: (models) => `${count(models)} ${models === 1 ? 'model, known by the name of its file' : 'models, known by the names of their files'}`,

  form: { user: 'Name a model', api: 'Remote server', fallback: 'Fallback' },
  save: 'Save',
  cancel: 'Cancel',
  close: 'Close',
  more: 'How it is run',
  fieldWrong: 'This cannot be kept as it is written.',
  /** @param {string} line */
  badDefault: (line) => `“${line}” is no default. Write name=value, such as temperature=0.7.`,
  /** @param {string} line */
  badHeader: (line) => `“${line}” is no header. Write Name: value.`,
  notNumber: 'This is no number.',
  fields: {
    name: 'Name',
    file: 'Model file',
    hub: 'Or a file of the hub',
    system_prompt: 'System prompt',
    defaults: 'Request defaults',
    context_length: 'Context',
    gpu_layers: 'GPU layers',
    threads: 'Threads',
    parallel: 'Answers at once',
    keep_alive_s: 'Unload after',
    embedding: 'It embeds',
    arguments: 'Engine flags',
    rpc: 'Other machines',
    base_url: 'Address',
    key: 'Key',
    models: 'Models',
    forward_all: 'Forward everything with the prefix',
    prefix: 'Prefix',
    headers: 'Headers',
    strip: 'Leave out',
    targets: 'Tried in this order',
    cooldown_s: 'Leave one alone that failed for',
  },
  help: {
    name: 'What programs ask for.',
    file: 'The whole path of a GGUF file.',
    hub: 'owner/repository:QUANT, already in the cache of Hugging Face’s hub.',
    system_prompt: 'Holds unless a request brings its own.',
    defaults: 'One to a line, such as temperature=0.7. They hold unless a request says otherwise.',
    arguments: 'Flags for llama-server, such as --top-k 5.',
    rpc: 'host:port of machines that run rpc-server and share the model, one to a line.',
    base_url: 'Up to where /chat/completions follows, such as https://api.example.com/v1.',
    key: 'Sent to this server only, and never shown again.',
    keyKept: 'Leave it empty to keep the one that it has.',
    models: 'As the server calls them, one to a line.',
    prefix: 'What their names begin with here, such as far/.',
    headers: 'Sent with every request, one to a line: Name: value.',
    strip: 'Request parameters that the server does not take, one to a line.',
    targets: 'One name to a line. The first that begins to answer answers.',
  },
  units: { context_length: 'tokens', keep_alive_s: 's', cooldown_s: 's' },
  placeholders: { keep_alive_s: 'As in settings', cooldown_s: '30' },
  enginesChoice: 'Engine’s choice',
  addTarget: 'Add a name',

  keys: 'API keys',
  keysBody: 'A key lets a program in by a name that you can take back. Each is shown once.',
  noKeys: 'No keys yet.',
  tabKeys: 'Keys are made in the app’s window, or with this command, since a key outlives the page.',
  keyCommand: 'llamero key create NAME',
  keyName: 'Name of the program',
  keyNameHelp: 'Letters, digits, spaces and . _ @ -',
  scope: 'It may',
  scopes: { inference: 'ask models', management: 'load and unload them' },
  limits: 'Limits',
  requestsPerMinute: 'Requests per minute',
  streams: 'Answers at once',
  days: 'Ends after days',
  unlimited: 'No limit',
  create: 'Create key',
  noScope: 'Let it do at least one of the two.',
  badKeyName: 'Begin with a letter or digit; up to 64 letters, digits, spaces and . _ @ -',
  outOfRange: 'Give a whole number from 1 up, or leave it empty.',
  /** @param {string} name */
  made: (name) => `The key of ${name}`,
  madeBody: 'Copy it now. It is not shown again.',
  copyKey: 'Copy the key',
  done: 'Done',
  revoke: 'Revoke',
  /** @param {string} name */
  revokeOf: (name) => `Revoke ${name}`,
  /** @param {string} when */
  lastUsed: (when) => `last used ${when}`,
  neverUsed: 'never used',
  /** @param {string} when */
  ends: (when) => `ends ${when}`,
  /** @param {string} when */
  ended: (when) => `ended ${when}`,
  /** @param {number} limit */
  perMinute: (limit) => `${count(limit)} requests/min`,
  /** @param {number} limit */
  atOnce: (limit) => `${count(limit)} at once`,
};
