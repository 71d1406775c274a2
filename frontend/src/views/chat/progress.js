/** What happens before there is something to read, and while an answer is healed. */
import { html, nothing } from 'lit-html';
import { text } from '../../i18n/index.js';
import { isLocal } from '../../models.js';

/**
 * @typedef {import('../../types/bridge.js').Progress} Progress
 * @typedef {import('../../live.js').LiveAnswer} LiveAnswer
 * @typedef {import('../../store.js').Store} Store
 */

/** @param {Store} store @param {LiveAnswer | null} live @param {boolean} hasText */
export function progressLine(store, live, hasText) {
  const progress = live?.progress.value ?? null;
  if (!progress && (hasText || live?.hasReasoning.value)) return nothing;
  const share = progress?.total ? Math.min(1, (progress.done ?? 0) / progress.total) : null;
  return html`<p class="progress" role="status">
    <span class="pulse" aria-hidden="true"></span>${progress ? sentence(store, progress) : text.starting}
    ${share === null ? nothing : html`<progress max="1" .value=${share} aria-hidden="true"></progress>`}
  </p>`;
}

/** @param {Store} store @param {Progress} progress */
function sentence(store, { kind, model, done, total }) {
  switch (kind) {
    case 'queued':
      return text.queued(model);
    case 'loading': {
      const asked = store.models.value.find(({ alias }) => alias === model);
      if (asked && !isLocal(asked)) return text.waitingFor(model);
      if (store.server(model)?.held) return text.makingRoom(model, store.leaving);
      const other = inTheWay(store, model);
      return other ? text.queued(other) : text.loading(model);
    }
    case 'recovering':
      return text.recovering(model);
    case 'reading':
      if (done !== null && total !== null && done < total) return text.readingOf(done, total);
      return total === null ? text.reading : text.readingTokens(total);
  }
}

/** Only so many models are kept loaded, so one that is not even starting waits for one that is answering. @param {Store} store @param {string} model */
function inTheWay(store, model) {
  if (store.stateOf(model) !== 'stopped') return null;
  return store.servers.value.find(({ alias }) => alias !== model && store.stateOf(alias) === 'busy')?.alias ?? null;
}
