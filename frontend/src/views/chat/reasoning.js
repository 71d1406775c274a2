/**
 * What the model thought before it answered: one line that moves while it thinks, all of it when opened.
 *
 * @typedef {import('../../types/bridge.js').Message} Message
 * @typedef {import('../../live.js').LiveAnswer} LiveAnswer
 */
import { html, nothing } from 'lit-html';
import { inNextFrame } from '../../frames.js';
import { text } from '../../i18n/index.js';
import { endOf } from './lengths.js';

/** `<reasoning-line>`: the end of what has been thought so far, on one line. */
class ReasoningLine extends HTMLElement {
  constructor() {
    super();
    /** @type {LiveAnswer | null} */
    this.live = null;
    this.deaf = () => {};
    this.write = () => {
      this.textContent = endOf(this.live?.reasoning ?? '');
    };
  }

  /** @param {LiveAnswer | null} live */
  set value(live) {
    if (live === this.live) return;
    this.deaf();
    this.live = live;
    if (!live) return;
    this.write();
    const stop = live.listen((part) => part === 'reasoning' && inNextFrame(this.write));
    this.deaf = () => stop();
  }

  disconnectedCallback() {
    this.deaf();
    this.live = null;
  }
}

customElements.define('reasoning-line', ReasoningLine);

/** @param {Message} message @param {LiveAnswer | null} live */
export function reasoning(message, live) {
  const some = live ? live.hasReasoning.value : message.reasoning !== '';
  if (!some) return nothing;
  const thinking = live !== null && !live.hasText.value;
  return html`<details class="reasoning ${thinking ? 'is-live' : ''}">
    <summary>
      <span class="reasoning-name">${thinking ? text.thinking : text.reasoning}</span>
      ${thinking
        ? html`<reasoning-line .value=${live} aria-hidden="true"></reasoning-line>`
        : html`<span class="reasoning-size">${text.words(words(live?.reasoning ?? message.reasoning))}</span>`}
    </summary>
    <answer-text class="answer" .value=${{ text: message.reasoning, live, part: 'reasoning' }}></answer-text>
  </details>`;
}

/** @param {string} thought */
const words = (thought) => thought.trim().split(/\s+/).length;
