/**
 * The views in the order of the rail. A view is listed once it exists; it is loaded and drawn when it is first opened,
 * stays as it was left when another one is shown, and may rest as long (`shown` is false).
 *
 * @typedef {import('../page.js').App} App
 * @typedef {(root: HTMLElement, app: App, shown: import('@preact/signals-core').ReadonlySignal<boolean>) => void} Mount
 * @typedef {{ name: string, label: string, icon: string, load: () => Promise<Mount> | Mount }} View
 */
import { text } from '../i18n/index.js';
import { BENCH, CHAT, GATEWAY, LOGS, METRICS, REQUESTS, SERVERS, SETTINGS } from '../page.js';
import { mountChat } from './chat/index.js';

/** @type {readonly View[]} */
export const VIEWS = [
  { name: CHAT, label: text.chat, icon: 'message-square', load: () => mountChat },
  { name: METRICS, label: text.metrics.title, icon: 'chart-line', load: () => import('./metrics/index.js').then((module) => module.mountMetrics) },
  { name: SERVERS, label: text.servers.title, icon: 'server', load: () => import('./servers/index.js').then((module) => module.mountServers) },
  { name: REQUESTS, label: text.requests.title, icon: 'inbox', load: () => import('./requests/index.js').then((module) => module.mountRequests) },
  { name: GATEWAY, label: text.gateway.title, icon: 'plug', load: () => import('./gateway/index.js').then((module) => module.mountGateway) },
  { name: LOGS, label: text.logs.title, icon: 'scroll-text', load: () => import('./logs/index.js').then((module) => module.mountLogs) },
  { name: BENCH, label: text.bench.title, icon: 'gauge', load: () => import('./bench/index.js').then((module) => module.mountBench) },
  { name: SETTINGS, label: text.preferences.title, icon: 'settings', load: () => import('./settings/index.js').then((module) => module.mountSettings) },
];
