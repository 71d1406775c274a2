/**
 * Draws the formulas in a piece of page, as MathML: no fonts, no style attributes. KaTeX is fetched when the first
 * formula appears; until then its source is shown, which can be read.
 */
import { cleanMath } from './sanitize.js';

/** @type {Promise<typeof import('katex').default> | null} */
let loading = null;

/** @type {typeof import('katex').default | null} */
let katex = null;

/** @param {ParentNode} root */
export function drawMath(root) {
  const found = root.querySelectorAll('code.math');
  if (!found.length) return;
  if (katex) {
    for (const element of found) draw(katex, element);
    return;
  }
  loading ??= import('katex').then((module) => (katex = module.default));
  void loading.then((loaded) => {
    for (const element of found) if (element.isConnected) draw(loaded, element);
  });
}

/** @param {typeof import('katex').default} renderer @param {Element} element */
function draw(renderer, element) {
  const source = element.textContent ?? '';
  if (source.length > 20_000) return;
  const html = renderer.renderToString(source, {
    displayMode: element.classList.contains('math-display'),
    output: 'mathml',
    throwOnError: false,
    strict: 'ignore',
    trust: false,
    maxExpand: 500,
    maxSize: 20,
  });
  element.replaceChildren(cleanMath(html));
  element.classList.add('drawn');
}
