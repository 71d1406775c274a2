/** Stands in the place of everything else when the page's key does not fit. */
import { html } from 'lit-html';
import { text } from '../i18n/index.js';

/** @param {'old-token' | 'no-token'} why */
export const refusedPage = (why) => html`
  <main class="refused">
    <div class="picture"><img src="/llamero.svg" alt="" /></div>
    <h1>${why === 'old-token' ? text.refusedTitle : text.noTokenTitle}</h1>
    <p>${why === 'old-token' ? text.refusedBody : text.noTokenBody}</p>
    <p>${text.refusedDo}</p>
  </main>
`;
