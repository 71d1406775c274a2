/**
 * `<answer-text>`: the text of one answer, settled or still growing. It listens to the live answer itself, so growth
 * touches no template.
 *
 * @typedef {import('../live.js').LiveAnswer} LiveAnswer
 * @typedef {{ text: string, live: LiveAnswer | null, part: 'text' | 'reasoning' }} Value
 */
import { MarkdownView } from '../markdown/view.js';

export class AnswerText extends HTMLElement {
  constructor() {
    super();
    this.view = new MarkdownView(this);
    /** @type {LiveAnswer | null} */
    this.live = null;
    this.deaf = () => {};
  }

  /** @param {Value} value */
  set value({ text, live, part }) {
    if (live) {
      if (live !== this.live) this.#follow(live, part);
      return;
    }
    this.deaf();
    this.live = null;
    this.view.finish(text);
  }

  /** @param {LiveAnswer} live @param {'text' | 'reasoning'} part */
  #follow(live, part) {
    this.deaf();
    this.live = live;
    this.view.restart();
    this.view.push(live[part]);
    const stop = live.listen((which, piece) => {
      if (which === part) this.view.push(piece);
    });
    this.deaf = () => stop();
  }

  disconnectedCallback() {
    this.deaf();
    this.live = null;
  }
}

customElements.define('answer-text', AnswerText);
