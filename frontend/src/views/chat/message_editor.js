/**
 * A message being edited, in its own place. A question is asked anew: Enter sends, as in the composer. An answer becomes
 * a version in a person's words, and has lines of its own: Ctrl/Cmd+Enter saves. Esc leaves both as they were. What is
 * written in an editor that goes by anything else is there again when the message is edited again.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Message} Message
 */
import { html, nothing } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { text } from '../../i18n/index.js';
import { focusComposer } from './composer.js';

/** Whether an edit is on its way: what is sent twice would be asked twice. */
let sending = false;

/** @param {Element | undefined} element */
const focusEnd = (element) => focusAt(element, (textarea) => textarea.value.length);
/** An answer may be long, and is read from its beginning. @param {Element | undefined} element */
const focusStart = (element) => focusAt(element, () => 0);

/** @param {Element | undefined} element @param {(textarea: HTMLTextAreaElement) => number} place */
function focusAt(element, place) {
  const textarea = /** @type {HTMLTextAreaElement | undefined} */ (element);
  queueMicrotask(() => {
    if (!textarea || document.activeElement === textarea) return;
    // Focus brings the caret into sight, so that has its place before; then all of the editor that there is room for.
    textarea.setSelectionRange(place(textarea), place(textarea));
    textarea.focus();
    textarea.form?.scrollIntoView({ block: 'nearest' });
  });
}

/** @param {App} app @param {Message} message */
export function questionEditor({ actions, page }, message) {
  const submit = async (/** @type {string} */ value) => {
    if (!(await actions.answers.edit(message.id, value.trim()))) return;
    close(page, message.id);
    focusComposer();
  };
  return editor(page, message, {
    label: text.editLabel,
    send: text.sendEdit,
    focus: focusEnd,
    mayBeEmpty: message.attachments.length > 0,
    sends: (event) => event.key === 'Enter' && !event.shiftKey,
    submit,
  });
}

/** @param {App} app @param {Message} message */
export function answerEditor({ actions, page }, message) {
  const submit = async (/** @type {string} */ value) => {
    const id = value === message.content ? message.id : await actions.answers.rewrite(message.id, value);
    if (!id) return;
    close(page, message.id);
    focusMessage(id);
  };
  return editor(page, message, {
    label: text.editAnswerLabel,
    send: text.saveEdit,
    note: text.savesVersion,
    focus: focusStart,
    mayBeEmpty: false,
    sends: (event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey),
    submit,
  });
}

/** Nothing of the edit is left to come back to. @param {App['page']} page @param {string} messageId */
function close(page, messageId) {
  page.edits.delete(messageId);
  if (page.editing.value === messageId) page.editing.value = null;
}

/** What was edited has focus again. @param {string} messageId */
function focusMessage(messageId) {
  const message = document.querySelector(`[data-message="${CSS.escape(messageId)}"]`);
  /** @type {HTMLElement | null | undefined} */ (message?.querySelector('.edit-message') ?? message)?.focus();
}

/**
 * @typedef {object} How  What tells the editors of questions and answers apart.
 * @property {string} label
 * @property {string} send
 * @property {string} [note]
 * @property {(element: Element | undefined) => void} focus
 * @property {boolean} mayBeEmpty  Whether there is something to send without any words.
 * @property {(event: KeyboardEvent) => boolean} sends
 * @property {(value: string) => Promise<void>} submit
 */

/** @param {App['page']} page @param {Message} message @param {How} how */
function editor(page, message, { label, send, note, focus, mayBeEmpty, sends, submit }) {
  const written = page.edits.get(message.id) ?? message.content;
  const empty = (/** @type {string} */ value) => !mayBeEmpty && !value.trim();
  const cancel = () => {
    close(page, message.id);
    focusMessage(message.id);
  };
  const input = (/** @type {InputEvent} */ event) => {
    const { value, form } = /** @type {HTMLTextAreaElement} */ (event.target);
    if (value === message.content) page.edits.delete(message.id);
    else page.edits.set(message.id, value);
    // Drawing the thread anew for every letter would be slow where it is long.
    const button = form?.querySelector('button[type=submit]');
    if (button instanceof HTMLButtonElement) button.disabled = empty(value);
  };
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    const textarea = event.target instanceof HTMLTextAreaElement ? event.target : null;
    if (event.key === 'Escape') cancel();
    else if (textarea && sends(event)) textarea.form?.requestSubmit();
    else return;
    event.preventDefault();
  };
  const submitted = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const { value } = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('text'));
    if (sending || empty(value)) return;
    sending = true;
    await submit(value).finally(() => (sending = false));
  };
  return html`<form class="editor" @submit=${submitted} @keydown=${keydown}>
    <textarea name="text" aria-label=${label} .value=${written} ${ref(focus)} @input=${input}></textarea>
    <div class="editor-actions">
      ${note ? html`<p class="editor-note">${note}</p>` : nothing}
      <button type="button" class="small-button" @click=${cancel}>${text.cancel}</button>
      <button type="submit" class="small-button is-primary" ?disabled=${empty(written)}>${send}</button>
    </div>
  </form>`;
}
