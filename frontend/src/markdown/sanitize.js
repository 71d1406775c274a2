/**
 * The second wall. markdown-it with raw HTML off is the first; whatever slips through it meets a list of what may stay.
 * This is the only module through which text becomes elements.
 */
import DOMPurify from 'dompurify';

const ANSWER = {
  ALLOWED_TAGS: [
    'a', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 's',
    'span', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
  ],
  ALLOWED_ATTR: ['class', 'href', 'start', 'title'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const MATH = {
  USE_PROFILES: { mathMl: true },
  ADD_TAGS: ['semantics', 'annotation', 'span'],
  FORBID_ATTR: ['style', 'href', 'xlink:href', 'src'],
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** @param {string} html @returns {DocumentFragment} */
export const cleanAnswer = (html) => /** @type {any} */ (DOMPurify.sanitize(html, /** @type {any} */ (ANSWER)));

/** @param {string} html  As KaTeX writes it. @returns {DocumentFragment} */
export const cleanMath = (html) =>
  // Even parsing a style attribute is reported as a breach of the content policy, so it goes before.
  /** @type {any} */ (DOMPurify.sanitize(html.replace(/ style="[^"]*"/g, ''), /** @type {any} */ (MATH)));
