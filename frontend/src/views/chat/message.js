/**
 * One message with what belongs to it: reasoning, what happens before the first token, the line of figures, actions,
 * and why it failed.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Message} Message
 * @typedef {import('../../live.js').LiveAnswer} LiveAnswer
 */
import { html, nothing } from 'lit-html';
import '../../components/answer_text.js';
import { icon } from '../../components/icon.js';
import { openModelPicker } from '../../components/model_picker.js';
import { duration, speed } from '../../format.js';
import { text } from '../../i18n/index.js';
import { copyWithSign } from '../../links.js';
import { sentFiles } from './attachments.js';
import { isLong } from './lengths.js';
import { answerEditor, questionEditor } from './message_editor.js';
import { menuButton } from './message_menu.js';
import { progressLine } from './progress.js';
import { reasoning } from './reasoning.js';

/** @param {App} app @param {Message} message */
export function messageItem(app, message) {
  return message.role === 'user' ? question(app, message) : answer(app, message);
}

/** @param {App} app @param {Message} message */
function question(app, message) {
  if (app.page.editing.value === message.id) return html`<li class="message is-user is-editing">${sentFiles(app, message.attachments)}${questionEditor(app, message)}</li>`;
  return html`<li class="message is-user" tabindex="-1" data-message=${message.id}>
    <h2 class="visually-hidden">${text.you}</h2>
    <div class="question">${sentFiles(app, message.attachments)}${message.content.trim() ? bubble(app, message) : nothing}</div>
    <div class="message-actions">
      ${message.content ? copyAction(message.content) : nothing}
      ${editAction(app, message, text.edit)} ${menuButton(app, message)}
      ${branches(app, message)}
    </div>
  </li>`;
}

/** What was asked. A long paste is folded, so that it does not push the answer out of reach. @param {App} app @param {Message} message */
function bubble({ page }, { id, content }) {
  if (!isLong(content)) return html`<div class="bubble">${content}</div>`;
  const whole = page.whole.value.has(id);
  return html`<div class="bubble">
    <div class="bubble-text ${whole || page.found.value?.messageId === id ? '' : 'is-folded'}">${content}</div>
    <button type="button" class="bubble-fold" aria-expanded=${whole ? 'true' : 'false'} @click=${() => page.showWhole(id, !whole)}>
      ${whole ? text.showLess : text.showAll(content.length)}
    </button>
  </div>`;
}

/** @param {App} app @param {Message} message */
function answer(app, message) {
  const { store, actions } = app;
  const live = store.live.value.get(message.id) ?? null;
  const streaming = message.status === 'streaming';
  const hasText = live ? live.hasText.value : message.content !== '';
  if (app.page.editing.value === message.id && !streaming)
    return html`<li class="message is-assistant is-editing" data-message=${message.id}>${answerEditor(app, message)}</li>`;
  return html`<li class="message is-assistant ${streaming ? 'is-streaming' : ''}" tabindex="-1" data-message=${message.id} aria-busy=${streaming ? 'true' : 'false'}>
    <h2 class="visually-hidden">${message.model ?? text.model}</h2>
    ${reasoning(message, live)}
    <answer-text class="answer" .value=${{ text: message.content, live, part: 'text' }}></answer-text>
    ${streaming ? progressLine(store, live, hasText) : nothing}
    ${message.status === 'interrupted' ? html`<p class="mark">${text.interrupted}</p>` : nothing}
    ${message.status === 'failed' ? failure(app, message) : nothing}
    ${streaming
      ? nothing
      : html`<div class="message-foot">
          <p class="stats">${figures(message, store.conversation.value?.sampling.max_tokens ?? null)}</p>
          <div class="message-actions">
            ${message.content ? html`${copyAction(message.content)} ${editAction(app, message, text.editAnswer)}` : nothing}
            ${action('refresh-cw', text.retryHint, () => void actions.answers.retry(message.id))}
            ${menuButton(app, message)} ${branches(app, message)}
          </div>
        </div>`}
  </li>`;
}

/** The line under an answer. @param {Message} message @param {number | null} longest  In tokens, as set for this chat. */
function figures(message, longest) {
  const { stats, status } = message;
  const parts = [];
  if (status === 'stopped') parts.push(text.stopped);
  if (message.edited) parts.push(text.edited);
  if (message.model) parts.push(message.model);
  if (stats?.completion_tokens) {
    parts.push(text.tokens(stats.completion_tokens));
    if (stats.generation_ms) parts.push(text.tokensPerSecond(speed((stats.completion_tokens / stats.generation_ms) * 1000)));
  }
  if (stats?.first_token_ms !== null && stats?.first_token_ms !== undefined) parts.push(text.firstToken(duration(stats.first_token_ms)));
  if (stats?.recoveries) parts.push(text.recovered(stats.recoveries));
  // The engine says the same of both ends.
  if (stats?.finish_reason === 'length') parts.push(longest !== null && (stats.completion_tokens ?? 0) >= longest ? text.cutByLength : text.cutByContext);
  return parts.join(' · ');
}

/** @param {App} app @param {Message} message */
function failure(app, message) {
  const { actions, page, store } = app;
  const alias = message.model;
  const known = alias !== null && store.models.value.some((model) => model.alias === alias);
  return html`<div class="failure" role="alert">
    <p class="failure-title">${text.failedTitle}</p>
    <p>${message.error?.message ?? ''}</p>
    <div class="failure-actions">
      <button type="button" class="small-button" @click=${() => void actions.answers.retry(message.id)}>${text.retry}</button>
      ${known
        ? html`<button type="button" class="small-button" @click=${async () => (page.log.value = (await actions.models.log(alias)) ?? null)}>
            ${text.showLog}
          </button>`
        : nothing}
      <button type="button" class="small-button" @click=${openModelPicker}>${text.chooseAnother}</button>
    </div>
  </div>`;
}

/** @param {App} app @param {Message} message @param {string} label */
const editAction = ({ page }, { id }, label) => action('pencil', label, () => (page.editing.value = id), 'edit-message');

/** @param {string} name @param {string} label @param {() => void} run @param {string} [kind] */
const action = (name, label, run, kind = '') =>
  html`<button type="button" class="icon-button ${kind}" aria-label=${label} title=${label} @click=${run}>${icon(name)}</button>`;

/** @param {string} content */
const copyAction = (content) =>
  html`<button
    type="button"
    class="icon-button copy-message"
    aria-label=${text.copyMessage}
    title=${text.copyMessage}
    @click=${(/** @type {Event} */ event) => void copyWithSign(/** @type {HTMLElement} */ (event.currentTarget), content)}
  >
    ${icon('copy')}<span class="label" aria-live="polite"></span>
  </button>`;

/** @param {App} app @param {Message} message */
function branches({ store, actions }, message) {
  const all = store.siblings.value.get(message.id) ?? [message.id];
  if (all.length < 2) return nothing;
  const at = all.indexOf(message.id);
  const step = (/** @type {number} */ by, /** @type {string} */ name, /** @type {string} */ label) => {
    const to = all[at + by];
    return html`<button type="button" class="icon-button" aria-label=${label} title=${label} ?disabled=${to === undefined} @click=${() => to && void actions.conversations.selectBranch(to)}>
      ${icon(name)}
    </button>`;
  };
  return html`<span class="branches" role="group">
    ${step(-1, 'chevron-left', text.previousBranch)}<span class="branch-number">${text.branch(at + 1, all.length)}</span>${step(1, 'chevron-right', text.nextBranch)}
  </span>`;
}
