/** An icon of the sprite. It is decoration: the control that holds it has the name. */
import { html } from 'lit-html';

/** @param {string} name  One of those in vite/icon_sprite.js. */
export const icon = (name) => html`<svg class="icon" aria-hidden="true"><use href=${`#icon-${name}`}></use></svg>`;
