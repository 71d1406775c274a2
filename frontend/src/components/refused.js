/** Stands in the place of everything else: the page's key does not fit, or there is nothing behind the page. */
import { html } from 'lit-html';
import { text } from '../i18n/index.js';

/** @param {string} title @param {string} body @param {string} what  What to do. */
const insteadPage = (title, body, what) => html`
  <main class="refused">
    <div class="picture"><img src="/llamero.svg" alt="" /></div>
    <h1>${title}</h1>
    <p>${body}</p>
    <p>${what}</p>
  </main>
`;

/** @param {'old-token' | 'no-token'} why */
export const refusedPage = (why) =>
  why === 'old-token'
    ? insteadPage(text.refusedTitle, text.refusedBody, text.refusedDo)
    : insteadPage(text.noTokenTitle, text.noTokenBody, text.refusedDo);

/** @param {string} why  In the words of the Python side. */
export const failedPage = (why) => insteadPage(text.notStartedTitle, why, text.notStartedDo);
