/**
 * What each tab of a request shows.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').RequestDetails} RequestDetails
 * @typedef {import('../../types/bridge.js').RequestSummary} RequestSummary
 * @typedef {import('../../requests.js').Tab} Tab
 */
import { html, nothing } from 'lit-html';
import { dateAndTime, duration, speed } from '../../format.js';
import { text } from '../../i18n/index.js';
import { EVENT_STEP } from '../../requests.js';
import { bodyText, changedLines, eventList, note, plainText } from './bodies.js';
import { sorted } from './lines.js';
import { waterfall } from './waterfall.js';

const words = text.requests;

/** @param {App} app @param {RequestDetails} request @param {Tab} tab */
export function tabContent(app, request, tab) {
  switch (tab) {
    case 'overview':
      return overview(request);
    case 'request':
      return html`<p class="detail-line">${request.method} ${request.path}</p>
        ${bodyText(request.body)}`;
    case 'sent':
      return sent(app, request);
    case 'prompt':
      return prompt(app, request);
    case 'response':
      return response(request);
    case 'events':
      return events(app, request);
  }
}

/** @param {RequestDetails} request */
function overview({ summary, steps }) {
  return html`
    ${summary.error ? html`<p class="detail-error" role="note">${summary.error}</p>` : nothing}
    <h3>${words.whereTime}</h3>
    ${waterfall(summary)} ${summary.recoveries ? note(words.recoveries(summary.recoveries)) : nothing}
    ${steps.length > 1
      ? html`<h3>${words.steps}</h3>
          <ol class="steps">
            ${steps.map(
              (step) => html`<li>
                <span class="step-name">${step.alias}</span>
                <span class="step-target">${step.target}${step.is_remote ? ` (${words.stepRemote})` : ''}</span>
                <span class=${step.error ? 'step-error' : 'step-answered'}>${step.error ?? words.stepAnswered}</span>
              </li>`,
            )}
          </ol>`
      : nothing}
    <dl class="request-facts">
      ${facts(summary).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
  `;
}

/** @param {RequestSummary} request @returns {[string, string][]} */
function facts(request) {
  const { facts: names, outcomes, dialects } = words;
  const dialect = /** @type {Record<string, string>} */ (dialects)[request.dialect] ?? request.dialect;
  /** @type {[string, string | null][]} */
  const all = [
    [names.status, [request.status, outcomes[request.outcome]].filter((part) => part !== null).join(' · ')],
    [names.duration, request.duration_ms === null ? null : duration(request.duration_ms)],
    [names.started, dateAndTime(request.at)],
    [names.route, `${request.route} (${dialect})`],
    [names.model, request.model],
    [names.destination, request.destination],
    [names.prompt, request.prompt_tokens === null ? null : text.tokens(request.prompt_tokens)],
    [names.generated, request.generated_tokens === null ? null : text.tokens(request.generated_tokens)],
    [names.speed, request.tokens_per_second === null ? null : text.tokensPerSecond(speed(request.tokens_per_second))],
    [names.client, request.client || words.unknownClient],
    [names.address, request.address],
    [names.key, request.key_name],
  ];
  return /** @type {[string, string][]} */ (all.filter(([, value]) => value));
}

/** @param {App} app @param {RequestDetails} request */
function sent({ store }, request) {
  const { onlyChanges } = store.requests;
  if (!request.sent.length) return note(words.noSent);
  const asked = request.body.text;
  return html`
    <label class="check">
      <input
        type="checkbox"
        .checked=${onlyChanges.value}
        @change=${(/** @type {Event} */ event) => (onlyChanges.value = /** @type {HTMLInputElement} */ (event.target).checked)}
      />${words.onlyChanges}
    </label>
    ${request.sent.map(
      (one, at) => html`<section class="sent">
        <p class="detail-line">
          ${request.sent.length > 1 ? `${words.sentTimes(at + 1)} · ` : ''}${one.method} ${one.endpoint} · +${duration(one.at_ms)}
        </p>
        ${onlyChanges.value && asked !== null && one.body.text !== null
          ? changedLines(sorted(asked), sorted(one.body.text))
          : bodyText(one.body)}
      </section>`,
    )}
  `;
}

/** @param {App} app @param {RequestDetails} request */
function prompt({ store, actions }, request) {
  const known = store.requests.prompt.value;
  const { id } = request.summary;
  if (!request.can_render) return note(words.noPrompt);
  if (known?.id !== id) {
    return html`<div class="requests-note">
      <p>${words.renderPromptBody}</p>
      <button type="button" class="small-button is-primary" @click=${() => void actions.requests.renderPrompt(id)}>${words.renderPrompt}</button>
    </div>`;
  }
  return known.prompt === null ? note(words.rendering) : plainText(known.prompt);
}

/** @param {RequestDetails} request */
function response({ summary, answer, reasoning, events: said }) {
  if (!answer && !reasoning) {
    return html`${summary.error ? html`<p class="detail-error" role="note">${summary.error}</p>` : note(words.noAnswer)}
    ${said.length === 1 && said[0] ? bodyText({ text: said[0].text, size: said[0].text.length, is_cut: false, content_type: '' }) : nothing}`;
  }
  return html`
    ${reasoning ? html`<h3>${words.reasoning}</h3>${plainText(reasoning)}` : nothing}
    ${answer ? html`${reasoning ? html`<h3>${words.answer}</h3>` : nothing}${plainText(answer)}` : nothing}
  `;
}

/** @param {App} app @param {RequestDetails} request */
function events({ store }, request) {
  const { eventsShown } = store.requests;
  if (!request.events.length) return note(words.noEvents);
  return html`${eventList(request.events, eventsShown.value, () => (eventsShown.value += EVENT_STEP), EVENT_STEP)}
  ${request.events_are_cut ? note(words.eventsCut) : nothing}`;
}
