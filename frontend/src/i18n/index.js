/** Every word that the page shows, in one place. Sentence case, short, no exclamation marks, no blame. */
import { bench } from './bench.js';
import { chat } from './chat.js';
import { frame } from './frame.js';
import { gateway } from './gateway.js';
import { logs } from './logs.js';
import { metrics } from './metrics.js';
import { models } from './models.js';
import { requests } from './requests.js';
import { servers } from './servers.js';
import { settings as preferences } from './settings.js';

export const text = { ...frame, ...chat, ...models, bench, gateway, logs, metrics, preferences, requests, servers };
