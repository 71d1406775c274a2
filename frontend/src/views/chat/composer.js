/**
 * Where questions are written. Enter sends, Shift+Enter begins a line, Esc stops; what is not sent is kept per chat.
 *
 * @typedef {import('../../page.js').App} App
 */
import { html } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';
import { attachButton, cannotBeSeen, draftFiles } from './attachments.js';

const ID = 'composer';

const field = () => /** @type {HTMLTextAreaElement | null} */ (document.getElementById(ID));
export const focusComposer = () => queueMicrotask(() => field()?.focus());

/** The chat whose draft the field holds; undefined until drafts are known. @type {string | undefined} */
let shown;

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
      : html`<button type="submit" class="send" aria-label=${text.send} title=${text.sendHint} ?disabled=${!(draft.trim() || store.attached.value.length) || !model || cannotBeSeen(store)}>
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

/** @param {App} app */
async function send(app) {
  const { store, actions } = app;
  await actions.attachments.settled;
  const question = field()?.value.trim() ?? '';
  const attached = store.attached.value;
  if (!(question || attached.length) || store.answering.value || !store.model.value || cannotBeSeen(store)) return;
  const key = store.draftKey;
  put('');
  remember(app);
  actions.attachments.put(key, []);
  focusComposer();
  if (await actions.answers.ask(question, attached)) return;
  // It was not accepted: words and files are given back, unless there are others meanwhile.
  if (!store.attached.value.length) actions.attachments.put(key, attached);
  if (!field()?.value) {
    put(question);
    remember(app);
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
  textarea.value = value;
  grow(textarea);
}

/** @param {App} app */
function remember({ store, actions }) {
  const textarea = field();
  if (!textarea) return;
  const key = store.draftKey;
  const { [key]: _old, ...others } = store.ui.value.drafts ?? {};
  actions.ui.remember({ drafts: textarea.value ? { ...others, [key]: textarea.value } : others });
  grow(textarea);
}

/** @param {App['store']} store */
const draftOf = (store) => store.ui.value.drafts?.[store.draftKey] ?? '';

/** As tall as its text; the style sheet says how tall at most. @param {HTMLTextAreaElement} textarea */
function grow(textarea) {
  if (CSS.supports('field-sizing', 'content')) return;
  textarea.style.height = 'auto';
  textarea.style.height = `${textarea.scrollHeight}px`;
}
