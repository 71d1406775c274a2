/** Names the views and shows which one is open. */
import { html } from 'lit-html';
import { VIEWS } from '../views/registry.js';
import { icon } from './icon.js';

/** @param {import('../page.js').App} app */
export const rail = ({ page }) => html`
  <span class="rail-mark"><img src="/favicon.svg" alt="" /></span>
  ${VIEWS.map(
    (view) => html`<a
      class="rail-item"
      href="#${view.name}"
      title=${view.label}
      aria-current=${page.view.value === view.name ? 'page' : 'false'}
      @click=${(/** @type {Event} */ event) => {
        event.preventDefault();
        page.view.value = view.name;
      }}
      >${icon(view.icon)}<span>${view.label}</span></a
    >`,
  )}
`;
