/**
 * Where questions are written. Enter sends, Shift+Enter begins a line, Esc stops; what is not sent is kept per chat.
 *
 * @typedef {import('../../page.js').App} App
 */
import { signal } from '@preact/signals-core';
import { html } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';
import { arriving, attachButton, cannotBeSeen, draftFiles } from './attachments.js';

const ID = 'composer';

const field = () => /** @type {HTMLTextAreaElement | null} */ (document.getElementById(ID));
export const focusComposer = () => queueMicrotask(() => field()?.focus());

/** The chat whose draft the field holds; undefined until drafts are known. @type {string | undefined} */
let shown;

/** The chats whose question is on its way: not accepted yet, and not refused. */
const sending = signal(/** @type {ReadonlySet<string>} */ (new Set()));

/** @param {App} app */
export function composer(app) {
  const { store } = app;
  const key = store.ready.value ? store.draftKey : undefined;
  const model = store.model.value;
  const answering = store.answering.value;
  const draft = draftOf(store);
  if (shown !== key) {
    const first = shown === undefined;
    shown = key;
    // What was written before drafts were known is the newest one.
    queueMicrotask(() => (first && field()?.value ? remember(app) : put(draftOf(store))));
  }
  return html`<form
    class="composer"
    @submit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void send(app);
    }}
  >
    ${draftFiles(app, focusComposer)}
    <div class="composer-line">
    ${attachButton(app)}
    <textarea
      id=${ID}
      rows="1"
      aria-label=${text.messageLabel}
      placeholder=${model ? text.messageHint(model.alias) : store.ready.value ? text.messageHintNoModel : ''}
      @input=${() => remember(app)}
      @paste=${(/** @type {ClipboardEvent} */ event) => paste(app, event)}
      @keydown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        void send(app);
      }}
    ></textarea>
    ${answering
      ? html`<button type="button" class="send is-stop" aria-label=${text.stop} title=${text.stopHint} @click=${() => stop(app)}>
          ${icon('square')}
        </button>`
      : html`<button type="submit" class="send" aria-label=${text.send} title=${text.sendHint} ?disabled=${!(draft.trim() || hasFiles(store)) || !canBeAsked(store)}>
          ${icon('arrow-up')}
        </button>`}
    </div>
  </form>`;
}

/** The buttons of the composer take each other's place, and what has focus must not disappear. @param {App} app */
function stop({ actions }) {
  void actions.answers.stop();
  focusComposer();
}

/** @param {App['store']} store */
const hasFiles = (store) => store.attached.value.length + arriving(store).length > 0;

/** @param {App['store']} store */
const canBeAsked = (store) => store.model.value && !store.answering.value && !cannotBeSeen(store) && !sending.value.has(store.draftKey);

/** What is sent, and to whom, is settled now: files may still be on their way, and other chats be opened meanwhile. @param {App} app */
async function send(app) {
  const { store, actions } = app;
  const key = store.draftKey;
  const question = field()?.value.trim() ?? '';
  if (!(question || hasFiles(store)) || !canBeAsked(store)) return;
  const target = actions.answers.target();
  sending.value = new Set([...sending.value, key]);
  write(app, key, '');
  app.page.trash.value = false;
  focusComposer();
  try {
    const attached = await actions.attachments.take(key);
    if (!(question || attached.length)) return; // the only file was refused
    if (await actions.answers.ask(question, attached, target)) return;
    write(app, key, [question, draftOf(store, key)].filter(Boolean).join('\n\n'));
    actions.attachments.giveBack(key, attached);
  } finally {
    sending.value = new Set([...sending.value].filter((one) => one !== key));
  }
}

/** Files are attached. What is copied from a document brings a picture of itself along, and is meant as text. @param {App} app @param {ClipboardEvent} event */
function paste({ actions }, event) {
  const pasted = event.clipboardData;
  if (!pasted?.files.length || (pasted.types.includes('text/html') && pasted.types.includes('text/plain'))) return;
  event.preventDefault();
  void actions.attachments.add(pasted.files);
}

/** @param {string} value */
function put(value) {
  const textarea = field();
  if (!textarea) return;
  if (textarea.value !== value) textarea.value = value;
  grow(textarea);
}

/** @param {App} app */
function remember(app) {
  const textarea = field();
  if (textarea) write(app, app.store.draftKey, textarea.value);
}

/** Keep the words of a draft, and show them if its chat is open. @param {App} app @param {string} key @param {string} words */
function write({ store, actions }, key, words) {
  const { [key]: _old, ...others } = store.ui.value.drafts ?? {};
  actions.ui.remember({ drafts: words ? { ...others, [key]: words } : others });
  if (store.draftKey === key) put(words);
}

/** @param {App['store']} store @param {string} [key] */
const draftOf = (store, key = store.draftKey) => store.ui.value.drafts?.[key] ?? '';

/** As tall as its text; the style sheet says how tall at most. @param {HTMLTextAreaElement} textarea */
function grow(textarea) {
  if (CSS.supports('field-sizing', 'content')) return;
  textarea.style.height = 'auto';
  textarea.style.height = `${textarea.scrollHeight}px`;
}
