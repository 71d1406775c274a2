/**
 * `<attached-picture>`: a small view of an attached picture, fetched when it comes near the screen.
 *
 * Only the small view is kept, so that a conversation full of photos takes no more memory than one of words.
 *
 * @typedef {import('../types/bridge.js').Attachment} Attachment
 * @typedef {{ attachment: Attachment, load: () => Promise<string | null | undefined> }} Value  `load` gives its `data:` address.
 */
const NEAR = '300px';

export class AttachedPicture extends HTMLElement {
  constructor() {
    super();
    /** @type {Value | null} */
    this.shown = null;
    this.watcher = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && void this.#load(), { rootMargin: NEAR });
  }

  /** @param {Value} value */
  set value(value) {
    if (value.attachment.id === this.shown?.attachment.id) return;
    this.shown = value;
    this.replaceChildren();
    this.watcher.observe(this);
  }

  connectedCallback() {
    if (this.shown && !this.firstChild) this.watcher.observe(this);
  }

  disconnectedCallback() {
    this.watcher.disconnect();
  }

  async #load() {
    this.watcher.disconnect();
    const value = this.shown;
    const address = await value?.load();
    if (!address || value !== this.shown) return;
    const picture = new Image();
    picture.src = address;
    try {
      await picture.decode();
    } catch {
      return; // a header that promised more than there is; the name is still there
    }
    if (value === this.shown) this.replaceChildren(this.#small(picture));
  }

  /** The middle of the picture, as large as this element. @param {HTMLImageElement} picture */
  #small(picture) {
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(this.clientWidth * devicePixelRatio);
    canvas.height = Math.round(this.clientHeight * devicePixelRatio);
    const scale = Math.max(canvas.width / picture.naturalWidth, canvas.height / picture.naturalHeight);
    const [width, height] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    return canvas;
  }
}

customElements.define('attached-picture', AttachedPicture);
