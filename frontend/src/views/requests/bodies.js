/**
 * Bodies, texts and events as they were: always as text, never as markup, and never more of them at once than a page
 * can bear.
 *
 * @typedef {import('../../types/bridge.js').Text} Text
 * @typedef {import('../../types/bridge.js').RawEvent} RawEvent
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { count, fileSize } from '../../format.js';
import { text } from '../../i18n/index.js';
import { copyWithSign } from '../../links.js';
import { changes, pretty } from './lines.js';

const words = text.requests;

/** @param {string} content */
export const copyButton = (content) => html`<button
  type="button"
  class="icon-button requests-copy"
  aria-label=${text.copy}
  title=${text.copy}
  @click=${(/** @type {Event} */ event) => void copyWithSign(/** @type {HTMLElement} */ (event.currentTarget), content)}
>
  ${icon('copy')}<span class="label" aria-live="polite"></span>
</button>`;

/** @param {string} content */
export const plainText = (content) => html`<div class="requests-block">
  ${copyButton(content)}
  <pre class="requests-text" tabindex="0">${content}</pre>
</div>`;

/** @param {Text} body */
export function bodyText(body) {
  if (body.size === 0) return note(words.noBody);
  if (body.text === null) return note(words.notKept);
  return html`${plainText(body.is_cut ? body.text : pretty(body.text))} ${cut(body)}`;
}

/** @param {string} before @param {string} after */
export function changedLines(before, after) {
  const lines = changes(before, after);
  if (!lines.some((line) => line.kind !== 'same' && line.kind !== 'gap')) return note(words.same);
  return html`<div class="requests-block">
    <pre class="requests-text" tabindex="0">${lines.map((line) => html`<span class=${`diff-line is-${line.kind}`}>${line.text}
</span>`)}</pre>
  </div>`;
}

/** @param {readonly RawEvent[]} events @param {number} shown @param {() => void} showMore @param {number} step */
export const eventList = (events, shown, showMore, step) => html`<ol class="request-events">
    ${events.slice(0, shown).map(
      (event) => html`<li><span class="event-time">+${count(event.at_ms)} ms</span><pre>${event.text.trimEnd()}</pre></li>`,
    )}
  </ol>
  ${events.length > shown
    ? html`<button type="button" class="small-button" @click=${showMore}>${words.moreEvents(Math.min(step, events.length - shown))}</button>`
    : nothing}`;

/** @param {string} said */
export const note = (said) => html`<p class="requests-note">${said}</p>`;

/** @param {Text} body */
const cut = (body) => (body.is_cut ? note(words.cut(fileSize(body.text?.length ?? 0), fileSize(body.size))) : nothing);
