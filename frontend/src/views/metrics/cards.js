/**
 * Which charts there are, for what is known: one card for processor, memory, each GPU, the answers, each server. Pure.
 *
 * A card's `lines` name series by key; what a line's hue, scale and label are is decided here and drawn elsewhere.
 *
 * @typedef {import('../../types/bridge.js').MetricsSnapshot} MetricsSnapshot
 * @typedef {import('./history.js').MetricsHistory} MetricsHistory
 * @typedef {{ key: string, label: string, hue: 1 | 2 | 3 | 4 | 5, unit: string, right?: boolean, dots?: boolean, thin?: boolean, quiet?: boolean, of?: string }} Line  `of`: the series that says how much there could be.
 * @typedef {{ id: string, lines: Line[], most: Record<string, number> }} Plot  `most`: where the scale of a unit ends at least.
 * @typedef {{ id: string, title: string, facts: string[], notes: string[], plots: Plot[] }} Card
 */
import { lasting } from '../../format.js';
import { text } from '../../i18n/index.js';
import { keyOf } from './history.js';
import { told } from './units.js';

/** @type {Line['hue'][]} */
const HUES = [1, 3, 4, 5, 2];

/** @param {MetricsHistory} history @param {MetricsSnapshot | null} now @param {boolean} cores @returns {Card[]} */
export function cardsOf(history, now, cores) {
  const subjects = (/** @type {string} */ quantity) =>
    history.series.filter((one) => one.quantity === quantity).map((one) => one.subject ?? '');
  const known = new Set(history.series.map(keyOf));
  const servers = [...new Set([...(now?.servers.map((one) => one.alias) ?? []), ...subjects('server.requests')])];
  const gpus = [...new Set([...(now?.hardware.gpus.map((_, place) => String(place)) ?? []), ...subjects('gpu.load'), ...subjects('gpu.memory')])];
  return [
    computer(subjects('cpu.core'), now, cores, gpus.length ? [] : [now?.hardware.gpu_note ?? text.metrics.noGpu]),
    ...gpus.map((place) => gpu(place, gpus.length, now, known)),
    answers(servers),
    requests(servers),
    ...servers.map((alias) => server(alias, now, known)),
  ];
}

/** @param {string[]} numbers @param {MetricsSnapshot | null} now @param {boolean} cores @param {string[]} notes @returns {Card} */
function computer(numbers, now, cores, notes) {
  /** @type {Line[]} */
  const each = cores ? numbers.map((number, place) => ({ key: `cpu.core/${number}`, label: text.metrics.core(place), hue: 5, unit: 'percent', thin: true, quiet: true })) : [];
  const total = now?.hardware.ram_total;
  const count = now?.hardware.cpu_cores.length;
  return {
    id: 'computer',
    title: text.metrics.computer,
    facts: [...(count ? [text.metrics.cores(count)] : []), ...(total ? [`${told('bytes', total)} ${text.ram}`] : [])],
    notes,
    plots: [
      { id: 'cpu', lines: [...each, { key: 'cpu.load', label: text.metrics.processor, hue: 1, unit: 'percent' }], most: { percent: 100 } },
      { id: 'ram', lines: [{ key: 'ram.used', label: text.metrics.memory, hue: 2, unit: 'bytes' }], most: total ? { bytes: total } : {} },
    ],
  };
}

/** @param {string} place @param {number} of @param {MetricsSnapshot | null} now @param {Set<string>} known @returns {Card} */
function gpu(place, of, now, known) {
  const device = now?.hardware.gpus[Number(place)];
  const name = device?.name ?? text.metrics.gpu(Number(place));
  const key = (/** @type {string} */ quantity) => `gpu.${quantity}/${place}`;
  const total = device?.memory_total;
  const lacking = device
    ? /** @type {const} */ ([['utilization', 'load'], ['memory_used', 'memory'], ['temperature_c', 'temperature'], ['power_w', 'power']]).filter(([field]) => device[field] === null)
    : [];
  /** @type {Plot[]} */
  const plots = [
    {
      id: `gpu-${place}`,
      lines: [
        { key: key('load'), label: text.metrics.load, hue: 1, unit: 'percent' },
        { key: key('memory'), label: text.vram, hue: 2, unit: 'bytes', right: true },
      ],
      most: { percent: 100, ...(total ? { bytes: total } : {}) },
    },
    {
      id: `heat-${place}`,
      lines: [
        { key: key('temperature'), label: text.metrics.temperature, hue: 4, unit: 'celsius' },
        { key: key('power'), label: text.metrics.power, hue: 5, unit: 'watts', right: true },
      ],
      most: { celsius: 100, watts: 50 },
    },
  ];
  return {
    id: `gpu-${place}`,
    title: of > 1 ? text.metrics.numbered(name, Number(place)) : name,
    facts: total ? [`${told('bytes', total)} ${text.vram}`] : [],
    notes: device ? [...lacking.map(([, sensor]) => text.metrics.noSensor[sensor]), ...(now?.hardware.gpu_note ? [now.hardware.gpu_note] : [])] : [text.metrics.gpuGone],
    // A sensor that there is not is said in a note, rather than drawn as an empty chart.
    plots: plots.map((plot) => ({ ...plot, lines: plot.lines.filter((line) => known.has(line.key)) })).filter((plot) => plot.lines.length),
  };
}

/** @param {string[]} servers @returns {Card} */
function answers(servers) {
  const hue = (/** @type {number} */ place) => HUES[place % HUES.length] ?? 1;
  const one = servers.length === 1;
  return {
    id: 'speed',
    title: text.metrics.speed,
    facts: [],
    notes: servers.length ? [] : [text.metrics.noServers],
    plots: servers.length
      ? [
          {
            id: 'speed',
            lines: servers.flatMap((alias, place) => [
              /** @type {Line} */ ({ key: `server.generation_speed/${alias}`, label: one ? text.metrics.generation : alias, hue: hue(place), unit: 'tokens_per_second' }),
            ]),
            most: { tokens_per_second: 10 },
          },
          {
            id: 'prompt',
            lines: servers.map((alias, place) => ({ key: `server.prompt_speed/${alias}`, label: one ? text.metrics.prompt : text.metrics.promptOf(alias), hue: hue(place), unit: 'tokens_per_second', dots: true })),
            most: { tokens_per_second: 10 },
          },
        ]
      : [],
  };
}

/** @param {string[]} servers @returns {Card} */
function requests(servers) {
  const one = servers.length === 1;
  return {
    id: 'requests',
    title: text.metrics.requests,
    facts: [],
    notes: [],
    plots: [
      {
        id: 'requests',
        lines: [
          { key: 'requests.running', label: text.metrics.running, hue: 1, unit: 'count' },
          { key: 'requests.waiting', label: text.metrics.waiting, hue: 2, unit: 'count' },
        ],
        most: { count: 4 },
      },
      ...(servers.length
        ? [
            {
              id: 'first',
              lines: servers.map((alias, place) => ({ key: `server.first_token/${alias}`, label: one ? text.metrics.firstToken : text.metrics.firstTokenOf(alias), hue: HUES[place % HUES.length] ?? 1, unit: 'seconds', dots: true })),
              most: { seconds: 1 },
            },
          ]
        : []),
    ],
  };
}

/** @param {string} alias @param {MetricsSnapshot | null} now @param {Set<string>} known @returns {Card} */
function server(alias, now, known) {
  const running = now?.servers.find((one) => one.alias === alias);
  const facts = [];
  if (running?.uptime_s) facts.push(text.metrics.upFor(lasting(running.uptime_s)));
  return {
    id: `server-${alias}`,
    title: alias,
    facts,
    notes: running ? [] : [text.metrics.serverGone],
    plots: [
      {
        id: `server-${alias}`,
        lines: [
          { key: `server.cpu/${alias}`, label: text.metrics.ofOneCore, hue: 1, unit: 'percent' },
          { key: `server.memory/${alias}`, label: text.ram, hue: 2, unit: 'bytes', right: true },
          ...(known.has(`server.gpu_memory/${alias}`) ? [/** @type {Line} */ ({ key: `server.gpu_memory/${alias}`, label: text.vram, hue: 3, unit: 'bytes', right: true })] : []),
        ],
        most: { percent: 100, bytes: 1024 ** 3 },
      },
      {
        id: `work-${alias}`,
        lines: [
          { key: `server.context/${alias}`, label: text.metrics.context, hue: 4, unit: 'tokens', of: `server.context_limit/${alias}` },
          { key: `server.slots/${alias}`, label: text.metrics.slots, hue: 1, unit: 'count', right: true, of: `server.slot_limit/${alias}` },
          { key: `server.waiting/${alias}`, label: text.metrics.waiting, hue: 2, unit: 'count', right: true },
        ],
        most: { tokens: running?.context_limit ?? 1000, count: running?.slots ?? 4 },
      },
    ],
  };
}
