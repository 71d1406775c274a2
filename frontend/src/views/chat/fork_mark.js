/**
 * How a fork is told from what it was forked from: by a sign before its title, and by where it comes from above its first
 * message.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Conversation} Conversation
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';

/** @param {Conversation} conversation */
export const forkSign = (conversation) =>
  conversation.forked_from === null ? nothing : html`<span class="fork-sign" title=${text.isFork}>${icon('git-fork')}<span class="visually-hidden">${text.isFork}: </span></span>`;

/** @param {App} app */
export function forkMark({ store, actions }) {
  const from = store.conversation.value?.forked_from ?? null;
  if (from === null) return nothing;
  const source = store.conversations.value.find((one) => one.id === from);
  return html`<p class="fork-mark">
    ${icon('git-fork')}
    ${source
      ? html`<span>${text.forkedFrom} <button type="button" class="link-button" @click=${() => void actions.conversations.open(from)}>${source.title}</button></span>`
      : html`<span>${text.forkedFromGone}</span>`}
  </p>`;
}
