/**
 * Files for the next question. Each is uploaded at once and judged by the Python side, so that what cannot be read is
 * refused where it was chosen; the page keeps names and sizes, beside the draft that they belong to.
 */
import { effect } from '@preact/signals-core';
import { megabytes, visible } from '../format.js';
import { text } from '../i18n/index.js';

/**
 * @typedef {import('../types/bridge.js').Attachment} Attachment
 * @typedef {import('../types/bridge.js').AttachmentContent} AttachmentContent
 */

const WEBP = 'image/webp';
/** What is lost below this can be seen, and above it files grow quickly. */
const JPEG_QUALITY = 0.92;

export class Attachments {
  /** @param {import('./core.js').Core} core @param {import('./ui.js').Ui} ui */
  constructor(core, ui) {
    this.core = core;
    this.ui = ui;
    /** Resolves when all files so far are attached or refused. They come one after the other, in their order. */
    this.settled = Promise.resolve();
  }

  /** Attach files to the draft of the open chat. Until it is known which one that is, they wait. @param {Iterable<File>} files */
  async add(files) {
    const { store } = this.core;
    const all = [...files];
    if (!store.ready.value) await turned(store.ready);
    const key = store.draftKey;
    const arriving = all.map((file) => ({ key, name: visible(file.name), file }));
    store.arriving.value = [...store.arriving.value, ...arriving];
    const added = this.settled
      .then(async () => {
        for (const one of arriving) {
          const roomForMore = await this.#addOne(key, one.file);
          this.#arrived([one]);
          if (!roomForMore) return;
        }
      })
      .finally(() => this.#arrived(arriving));
    this.settled = added.catch(() => {}); // what goes wrong here is told here, and does not keep a question from being sent
    await added;
  }

  /** @param {readonly import('../store.js').Arriving[]} which */
  #arrived(which) {
    const { arriving } = this.core.store;
    arriving.value = arriving.value.filter((one) => !which.includes(one));
  }

  /** Take all files off a draft, to send them: those that are on their way now are waited for. @param {string} key */
  async take(key) {
    await this.settled;
    const attached = this.#of(key);
    this.put(key, []);
    return attached;
  }

  /** Give files back to a draft, before those that it has meanwhile. @param {string} key @param {readonly Attachment[]} attached */
  giveBack(key, attached) {
    this.put(key, [...attached, ...this.#of(key)]);
  }

  /** @param {string} key @param {File} file @returns {Promise<boolean>} whether there is room for more */
  async #addOne(key, file) {
    const { store, notify } = this.core;
    const limits = store.attachmentLimits.value;
    const attached = this.#of(key);
    if (attached.length >= limits.files) {
      notify(text.tooManyFiles(limits.files));
      return false;
    }
    const name = visible(file.name);
    const picture = isPicture(file);
    const most = picture ? limits.image_bytes : limits.text_bytes;
    if (file.size > most) notify((picture ? text.pictureTooLarge : text.fileTooLarge)(name, megabytes(most)));
    else if (attached.reduce((sum, one) => sum + one.size, file.size) > limits.total_bytes) notify(text.filesTooLarge(name, megabytes(limits.total_bytes)));
    else if (!(await canBeRead(file))) notify(text.fileUnreadable(name));
    else {
      const added = await this.core.tell(this.#keep(file, file.name));
      if (added) this.put(key, [...this.#of(key), added]);
    }
    return true;
  }

  /** @param {Blob} body @param {string} name @returns {Promise<Attachment | undefined>} */
  async #keep(body, name) {
    const { bridge, notify } = this.core;
    const { handle } = await bridge.upload(body);
    const kept = await bridge.invoke('add_attachment', { handle, name });
    if (kept.media_type !== WEBP) return kept;
    // Engines do not read this format, which browsers do. What is kept of it first has told its size, and that is bounded.
    await bridge.invoke('discard_attachment', { attachment_id: kept.id });
    const jpeg = await asJpeg(body).catch(() => null);
    if (jpeg) return this.#keep(jpeg, name);
    notify(text.pictureDamaged(visible(name)));
    return undefined;
  }

  /** Take a file off the question that is being written. @param {Attachment} attachment */
  remove(attachment) {
    const key = this.core.store.draftKey;
    this.put(
      key,
      this.#of(key).filter(({ id }) => id !== attachment.id),
    );
    void this.core.call('discard_attachment', { attachment_id: attachment.id });
  }

  /** Say what is attached to a draft. @param {string} key @param {readonly Attachment[]} attached */
  put(key, attached) {
    const { [key]: _old, ...others } = this.core.store.ui.value.draft_attachments ?? {};
    this.ui.remember({ draft_attachments: attached.length ? { ...others, [key]: [...attached] } : others });
  }

  /** @param {Attachment} attachment @returns {Promise<AttachmentContent | undefined>} */
  async content(attachment) {
    return this.core.call('get_attachment', { attachment_id: attachment.id });
  }

  /** @param {string} key */
  #of(key) {
    return this.core.store.ui.value.draft_attachments?.[key] ?? [];
  }
}

/** Resolves once this is so. @param {import('@preact/signals-core').Signal<boolean>} signal @returns {Promise<void>} */
const turned = (signal) =>
  new Promise((resolve) => {
    const stop = effect(() => {
      if (!signal.value) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });

/** A drawing made of text is text. @param {File} file */
const isPicture = ({ type }) => type.startsWith('image/') && type !== 'image/svg+xml';

/** The same picture in a format that every engine reads, on white where it was transparent. @param {Blob} picture @returns {Promise<Blob | null>} */
async function asJpeg(picture) {
  const bitmap = await createImageBitmap(picture);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', JPEG_QUALITY));
}

/** A folder looks like a file until it is read, and a file may have gone since it was chosen. @param {File} file */
async function canBeRead(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
