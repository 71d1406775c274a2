/** Says that the connection is lost, for as long as it is. */
import { html, nothing } from 'lit-html';
import { text } from '../i18n/index.js';

/** @param {import('../page.js').App} app */
export const banner = ({ page }) => (page.banner.value ? html`<p class="banner">${text.lost}</p>` : nothing);
