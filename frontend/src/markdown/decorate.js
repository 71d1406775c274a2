/**
 * Adds to clean answer elements what only the app may add: the head of a code block with its copy button, the box in
 * which a wide table scrolls, where links open.
 */
import { text } from '../i18n/index.js';

/** @param {DocumentFragment} fragment */
export function decorate(fragment) {
  for (const code of fragment.querySelectorAll('pre > code')) frameCode(/** @type {Element} */ (code.parentElement), code);
  for (const table of fragment.querySelectorAll('table')) {
    const box = element('div', 'table-scroll');
    box.tabIndex = 0;
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', text.table);
    table.replaceWith(box);
    box.append(table);
  }
  for (const link of fragment.querySelectorAll('a')) {
    link.setAttribute('target', '_blank');
    link.setAttribute('rel', 'noopener noreferrer');
  }
}

/** @param {Element} pre @param {Element} code */
function frameCode(pre, code) {
  const language = /(?:^|\s)language-(\S+)/.exec(code.className)?.[1] ?? '';
  const box = element('div', 'code-block');
  const head = element('div', 'code-head');
  const name = element('span', 'code-language');
  name.textContent = language;
  const button = element('button', 'quiet copy-code');
  button.setAttribute('type', 'button');
  button.textContent = text.copy;
  head.append(name, button);
  pre.setAttribute('tabindex', '0');
  pre.replaceWith(box);
  box.append(head, pre);
}

/** @param {string} tag @param {string} className */
function element(tag, className) {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}
