/**
 * An alias as the fields of a form, and back. Lists are one to a line, as people paste them; an empty number is the
 * engine's choice.
 *
 * @typedef {import('../../actions/gateway.js').Alias} Alias
 * @typedef {Alias['type']} Kind
 * @typedef {Record<string, string | boolean>} Values  Field by name.
 * @typedef {Record<string, string>} Wrong  What is wrong, by field; under '' what is wrong with the whole.
 */
import { text } from '../../i18n/index.js';

const words = text.gateway;
const NUMBERS = { user: ['context_length', 'gpu_layers', 'threads', 'parallel', 'keep_alive_s'], api: [], fallback: ['cooldown_s'] };

/** @param {Kind} kind @param {Alias | null} alias @returns {Values} */
export function valuesOf(kind, alias) {
  const known = /** @type {Record<string, any>} */ (alias ?? {});
  const line = (/** @type {string} */ name) => String(known[name] ?? '');
  const lines = (/** @type {string} */ name) => (known[name] ?? []).join('\n');
  const numbers = Object.fromEntries(NUMBERS[kind].map((name) => [name, line(name)]));
  switch (kind) {
    case 'user':
      return {
        ...numbers,
        name: line('name'),
        file: line('file'),
        hub: line('hub'),
        system_prompt: line('system_prompt'),
        defaults: pairs(known['defaults'], (name, value) => `${name}=${JSON.stringify(value)}`),
        embedding: known['embedding'] === true,
        arguments: lines('arguments'),
        rpc: lines('rpc'),
      };
    case 'api':
      return {
        name: line('name'),
        base_url: line('base_url'),
        key: '',
        prefix: line('prefix'),
        models: lines('models'),
        forward_all: known['forward_all'] === true,
        headers: pairs(known['headers'], (name, value) => `${name}: ${value}`),
        strip: lines('strip'),
      };
    case 'fallback':
      return { ...numbers, name: line('name'), targets: lines('targets') };
  }
}

/** @param {Kind} kind @param {Values} values @returns {{ alias: Alias, wrong: Wrong }} */
export function aliasOf(kind, values) {
  /** @type {Wrong} */
  const wrong = {};
  const line = (/** @type {string} */ name) => String(values[name] ?? '').trim();
  const numbers = Object.fromEntries(
    NUMBERS[kind].map((name) => {
      const number = line(name) === '' ? null : Number(line(name));
      if (Number.isNaN(number)) wrong[name] = words.notNumber;
      return [name, number];
    }),
  );
  /** @type {any} */
  let alias;
  switch (kind) {
    case 'user':
      alias = {
        type: kind,
        ...numbers,
        name: line('name'),
        file: line('file'),
        hub: line('hub'),
        system_prompt: String(values['system_prompt'] ?? ''),
        defaults: defaults(values, wrong),
        embedding: values['embedding'] === true,
        arguments: linesOf(values['arguments']),
        rpc: linesOf(values['rpc']),
      };
      break;
    case 'api':
      alias = {
        type: kind,
        name: line('name'),
        base_url: line('base_url'),
        prefix: line('prefix'),
        models: linesOf(values['models']),
        forward_all: values['forward_all'] === true,
        headers: headers(values, wrong),
        strip: linesOf(values['strip']),
      };
      break;
    case 'fallback':
      alias = { type: kind, name: line('name'), targets: linesOf(values['targets']) };
      if (numbers['cooldown_s'] !== null) alias.cooldown_s = numbers['cooldown_s'];
  }
  return { alias, wrong };
}

/** What the app refuses, at the field that it is about. @param {import('../../bridge.js').BridgeError} error @param {Values} values @returns {Wrong} */
export function wrongOf(error, values) {
  const data = /** @type {{ param?: string | null, reason?: string } | null} */ (error.data ?? null);
  const field = /^(?:alias\.)?([a-z_]+)/.exec(data?.param ?? '')?.[1] ?? '';
  const message = data?.reason === 'bridge_error-wrong_argument' ? words.fieldWrong : error.message;
  return { [field in values ? field : '']: message };
}

/** @param {string | boolean | undefined} value */
export const linesOf = (value) =>
  String(value ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** @param {Record<string, unknown> | undefined} known @param {(name: string, value: unknown) => string} write */
const pairs = (known, write) =>
  Object.entries(known ?? {})
    .map(([name, value]) => write(name, value))
    .join('\n');

/** @param {Values} values @param {Wrong} wrong */
function defaults(values, wrong) {
  /** @type {Record<string, unknown>} */
  const found = {};
  for (const line of linesOf(values['defaults'])) {
    const [, name, value] = /^([^=\s]+)\s*=\s*(.+)$/.exec(line) ?? [];
    try {
      if (!name || !value) throw new SyntaxError();
      found[name] = JSON.parse(value);
    } catch {
      wrong['defaults'] ??= words.badDefault(line);
    }
  }
  return found;
}

/** @param {Values} values @param {Wrong} wrong */
function headers(values, wrong) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const line of linesOf(values['headers'])) {
    const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (name) found[name] = value ?? '';
    else wrong['headers'] ??= words.badHeader(line);
  }
  return found;
}
