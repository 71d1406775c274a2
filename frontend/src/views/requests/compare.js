/**
 * Two requests beside each other: what only the one has and what only the other has, part by part.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').RequestDetails} RequestDetails
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { timeWithSeconds } from '../../format.js';
import { text } from '../../i18n/index.js';
import { changedLines, note } from './bodies.js';
import { sorted } from './lines.js';

const words = text.requests;

/** @param {App} app */
export function comparison({ store, actions }) {
  const pair = store.requests.comparison.value;
  return html`
    <header class="detail-head">
      <h2 class="detail-title">${words.comparing}</h2>
      <button
        type="button"
        class="icon-button"
        aria-label=${words.endComparison}
        title=${words.endComparison}
        @click=${() => actions.requests.endComparison()}
      >
        ${icon('x')}
      </button>
    </header>
    <div class="detail-body" tabindex="0">${pair ? parts(...pair) : nothing}</div>
  `;
}

/** @param {RequestDetails} before @param {RequestDetails} after */
const parts = (before, after) => html`
  <p class="compared-names">
    <span class="diff-line is-removed">${nameOf(before)}</span>
    <span class="diff-line is-added">${nameOf(after)}</span>
  </p>
  <h3>${words.comparedBodies}</h3>
  ${part(before.body.text, after.body.text)}
  <h3>${words.comparedSent}</h3>
  ${part(before.sent[0]?.body.text ?? null, after.sent[0]?.body.text ?? null)}
  <h3>${words.comparedAnswers}</h3>
  ${part(before.answer, after.answer)}
`;

/** @param {string | null} before @param {string | null} after */
const part = (before, after) => (before === null || after === null ? note(words.notKept) : changedLines(sorted(before), sorted(after)));

/** @param {RequestDetails} request */
const nameOf = ({ summary }) => `${summary.model || words.noModel} · ${timeWithSeconds(summary.at)}`;
