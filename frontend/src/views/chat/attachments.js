/**
 * Files beside a question: on the one being written they can be taken off, on one that was asked they are looked at.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('../../types/bridge.js').Attachment} Attachment
 */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { icon } from '../../components/icon.js';
import { halves, smallSize } from '../../format.js';
import { text } from '../../i18n/index.js';

const INPUT = 'attach-files';

/** @param {Attachment} attachment */
const isPicture = ({ kind }) => kind === 'image';

/** Whether there is a picture among the files, and the model that is asked is known not to see it. @param {App['store']} store */
export const cannotBeSeen = (store) => store.model.value?.sees === false && store.attached.value.some(isPicture);

/** The files that are on their way to the draft that is shown. @param {App['store']} store */
export const arriving = (store) => store.arriving.value.filter(({ key }) => key === store.draftKey);

/** The button that chooses files, and the field behind it. @param {App} app */
export function attachButton({ actions }) {
  const choose = () => /** @type {HTMLInputElement} */ (document.getElementById(INPUT)).click();
  const chosen = (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    void actions.attachments.add([...(input.files ?? [])]);
    input.value = ''; // so that the same file can be chosen again
  };
  return html`<input id=${INPUT} type="file" multiple hidden @change=${chosen} />
    <button type="button" class="icon-button attach" aria-label=${text.attach} title=${text.attach} @click=${choose}>${icon('paperclip')}</button>`;
}

/** @param {App} app @param {(done: void) => void} goOn  Where focus goes when the last file is taken off. */
export function draftFiles(app, goOn) {
  const attached = app.store.attached.value;
  const coming = arriving(app.store);
  return html`${attached.length || coming.length
      ? html`<ul class="attachments" aria-label=${text.attachedFiles} aria-busy=${coming.length ? 'true' : 'false'}>
          ${repeat(attached, ({ id }) => id, (one) => chip(app, one, () => takeOff(app, one, goOn)))}
          ${coming.map(({ name }) => html`<li class="attaching" title=${text.attaching(name)}><span class="pulse"></span>${fileName(name)}</li>`)}
        </ul>`
      : nothing}
    <p class="composer-note" role="status">${cannotBeSeen(app.store) ? text.modelCannotSee(app.store.model.value?.alias ?? '') : nothing}</p>
    <span class="visually-hidden" role="status">${attached.length ? text.filesAttached(attached.length) : ''}</span>`;
}

/** @param {App} app @param {readonly Attachment[]} attached */
export const sentFiles = (app, attached) =>
  attached.length ? html`<ul class="attachments" aria-label=${text.attachedFiles}>${attached.map((one) => chip(app, one))}</ul>` : nothing;

/** A name in two parts: where there is no room, the first one is cut. @param {string} name */
function fileName(name) {
  const [start, end] = halves(name);
  return html`<bdi class="attachment-name"><span>${start}</span><span>${end}</span></bdi>`;
}

/** @param {App} app @param {Attachment} attachment @param {(() => void)} [remove] */
function chip({ actions, page }, attachment, remove) {
  const { name, size } = attachment;
  const picture = isPicture(attachment);
  const show = async () => (page.attachment.value = (await actions.attachments.content(attachment)) ?? null);
  const load = async () => (await actions.attachments.content(attachment))?.image;
  return html`<li class="attachment ${picture ? 'is-picture' : ''}">
    <button type="button" class="attachment-open" title=${text.showFile(name)} aria-label=${picture ? text.showFile(name) : nothing} @click=${show}>
      ${picture
        ? html`<attached-picture .value=${{ attachment, load }}></attached-picture>`
        : html`${icon('file-text')}${fileName(name)}<span class="attachment-size">${smallSize(size)}</span>`}
    </button>
    ${remove
      ? html`<button type="button" class="icon-button attachment-remove" aria-label=${text.removeFile(name)} title=${text.removeFile(name)} @click=${remove}>${icon('x')}</button>`
      : nothing}
  </li>`;
}

/** What had focus goes with its file, so it goes on to the next one. @param {App} app @param {Attachment} attachment @param {() => void} goOn */
function takeOff({ actions, store }, attachment, goOn) {
  const at = store.attached.value.findIndex(({ id }) => id === attachment.id);
  actions.attachments.remove(attachment);
  const left = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.composer .attachment-remove'))];
  const next = left[at] ?? left[at - 1];
  if (next) next.focus();
  else goOn();
}
