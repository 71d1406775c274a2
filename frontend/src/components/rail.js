/** Names the views. A view is listed once it exists. */
import { html } from 'lit-html';
import { text } from '../i18n.js';
import { icon } from './icon.js';

export const rail = () => html`
  <span class="rail-mark" aria-hidden="true">${icon('llamero')}</span>
  <a class="rail-item" href="#chat" aria-current="page" @click=${(/** @type {Event} */ event) => event.preventDefault()}>
    ${icon('message-square')}<span>${text.chat}</span>
  </a>
`;
