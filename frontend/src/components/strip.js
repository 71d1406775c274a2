/** The hardware strip: what the machine does now. Always there, never loud. */
import { html, nothing } from 'lit-html';
import { count, gigabytes, speed } from '../format.js';
import { text } from '../i18n/index.js';
import { METRICS } from '../page.js';
import { sparkline } from './sparkline.js';

/** @typedef {import('../types/bridge.js').HardwareMetrics} HardwareMetrics */

/** @param {import('../page.js').App} app */
export function strip({ store, page }) {
  const now = store.metrics.value?.hardware;
  const history = store.history.value.map((sample) => sample.hardware);
  const rate = store.rate.value;
  return html`<button type="button" class="strip-button" title=${text.openMetrics} @click=${() => (page.view.value = METRICS)}>
    ${reading(text.cpu, percent(now?.cpu), history.map((one) => share(one.cpu, 100)))}
    ${reading(text.ram, amount(now?.ram_used, now?.ram_total), history.map((one) => share(one.ram_used, one.ram_total)))}
    ${now && !now.gpus.length
      ? html`<span class="reading" title=${now.gpu_note ?? nothing}><span class="reading-value">${text.noGpu}</span></span>`
      : graphics(now, history)}
    <span class="strip-space"></span>
    ${rate === null
      ? nothing
      : html`<span class="reading is-rate"><span class="reading-value">${text.tokensPerSecond(speed(rate))}</span></span>`}
  </button>`;
}

/** The busiest GPU's load, and the memory of all of them. @param {HardwareMetrics | undefined} now @param {HardwareMetrics[]} history */
function graphics(now, history) {
  const gpus = now?.gpus ?? [];
  return html`
    ${reading(text.gpu, percent(busiest(gpus)), history.map((one) => share(busiest(one.gpus), 100)), gpus.map((gpu) => gpu.name).join(', '))}
    ${reading(text.vram, amount(sum(gpus, 'memory_used'), sum(gpus, 'memory_total')), history.map((one) => share(sum(one.gpus, 'memory_used'), sum(one.gpus, 'memory_total'))))}
  `;
}

/** @param {string} name @param {string} value @param {(number | null)[]} line @param {string} [title] */
const reading = (name, value, line, title) =>
  html`<span class="reading" title=${title || nothing}
    ><span class="reading-name">${name}</span>${sparkline(line)}<span class="reading-value">${value}</span></span
  >`;

/** @param {number | null | undefined} value */
const percent = (value) => (value === null || value === undefined ? text.unknown : `${count(value)} %`);

/** @param {number | null | undefined} used @param {number | null | undefined} total */
const amount = (used, total) =>
  used === null || used === undefined || !total ? text.unknown : text.ofTotal(gigabytes(used), gigabytes(total));

/** @param {number | null} value @param {number | null} whole */
const share = (value, whole) => (value === null || !whole ? null : value / whole);

/** @param {HardwareMetrics['gpus']} gpus */
const busiest = (gpus) => gpus.reduce((/** @type {number | null} */ most, gpu) => (gpu.utilization === null ? most : Math.max(most ?? 0, gpu.utilization)), null);

/** @param {HardwareMetrics['gpus']} gpus @param {'memory_used' | 'memory_total'} field */
const sum = (gpus, field) => gpus.reduce((/** @type {number | null} */ all, gpu) => (gpu[field] === null ? all : (all ?? 0) + gpu[field]), null);
