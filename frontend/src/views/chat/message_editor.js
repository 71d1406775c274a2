/**
 * A message being edited, in its own place. A question is asked anew: Enter sends, as in the composer. An answer becomes
 * a version in a person's words, and has lines of its own: Ctrl/Cmd+Enter saves. Esc leaves both as they were.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Message} Message
 */
import { html, nothing } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { text } from '../../i18n/index.js';

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
    const question = value.trim();
    if (question && (await actions.answers.edit(message.id, question))) page.editing.value = null;
  };
  return editor(page, message, {
    label: text.editLabel,
    send: text.sendEdit,
    focus: focusEnd,
    sends: (event) => event.key === 'Enter' && !event.shiftKey,
    submit,
  });
}

/** @param {App} app @param {Message} message */
export function answerEditor({ actions, page }, message) {
  const submit = async (/** @type {string} */ value) => {
    if (!value.trim()) return;
    const id = value === message.content ? message.id : await actions.answers.rewrite(message.id, value);
    if (id) leave(page, id);
  };
  return editor(page, message, {
    label: text.editAnswerLabel,
    send: text.saveEdit,
    note: text.savesVersion,
    focus: focusStart,
    sends: (event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey),
    submit,
  });
}

/** What was edited has focus again. @param {App['page']} page @param {string} messageId */
function leave(page, messageId) {
  page.editing.value = null;
  const message = document.querySelector(`[data-message="${CSS.escape(messageId)}"]`);
  /** @type {HTMLElement | null | undefined} */ (message?.querySelector('.edit-message') ?? message)?.focus();
}

/**
 * @param {App['page']} page
 * @param {Message} message
 * @param {{ label: string, send: string, note?: string, focus: (element: Element | undefined) => void, sends: (event: KeyboardEvent) => boolean, submit: (value: string) => Promise<void> }} how
 */
function editor(page, message, { label, send, note, focus, sends, submit }) {
  const close = () => leave(page, message.id);
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    const textarea = /** @type {HTMLTextAreaElement} */ (event.target);
    if (event.isComposing || (event.key !== 'Escape' && !sends(event))) return;
    event.preventDefault();
    if (event.key === 'Escape') close();
    else void submit(textarea.value);
  };
  return html`<form
    class="editor"
    @submit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const form = /** @type {HTMLFormElement} */ (event.target);
      void submit(/** @type {HTMLTextAreaElement} */ (form.elements.namedItem('text')).value);
    }}
  >
    <textarea name="text" aria-label=${label} .value=${message.content} ${ref(focus)} @keydown=${keydown}></textarea>
    <div class="editor-actions">
      ${note ? html`<p class="editor-note">${note}</p>` : nothing}
      <button type="button" class="small-button" @click=${close}>${text.cancel}</button>
      <button type="submit" class="small-button is-primary">${send}</button>
    </div>
  </form>`;
}
