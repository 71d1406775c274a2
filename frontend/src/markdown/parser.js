/**
 * Markdown to tokens and to HTML, with the rules that untrusted text needs: no raw HTML, links to http, https and mailto
 * only, images become links, no style attributes. What comes out still passes sanitize.js.
 */
import MarkdownIt from 'markdown-it';
import { highlight } from './highlight.js';
import { mathRules } from './math_rules.js';

const ALLOWED = /^(?:https?:\/\/|mailto:)[^\s]/i;

/** @param {string} url */
export const isAllowedLink = (url) => ALLOWED.test(url.trim());

/** @typedef {InstanceType<typeof MarkdownIt>} Parser */

/** @returns {Parser} */
function build() {
  const md = new MarkdownIt({ html: false, linkify: true, typographer: false, breaks: false });
  // `main.py` and `example.com` are names as often as links: only what carries its scheme becomes one.
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  md.validateLink = isAllowedLink;
  md.use(mathRules);
  noteClosedFences(md);

  md.renderer.rules.fence = (tokens, index) => {
    const token = /** @type {import('markdown-it').Token} */ (tokens[index]);
    const language = token.info.trim().split(/\s+/)[0] ?? '';
    const body = token.meta?.closed ? highlight(token.content, language) : null;
    const name = language ? ` class="language-${md.utils.escapeHtml(language)}"` : '';
    return `<pre><code${name}>${body ?? md.utils.escapeHtml(token.content)}</code></pre>\n`;
  };
  md.renderer.rules.code_block = (tokens, index) =>
    `<pre><code>${md.utils.escapeHtml(/** @type {import('markdown-it').Token} */ (tokens[index]).content)}</code></pre>\n`;

  // A remote image would tell its host that this answer was read, and could carry what was said: offer a link instead.
  md.renderer.rules.image = (tokens, index) => {
    const token = /** @type {import('markdown-it').Token} */ (tokens[index]);
    const url = String(token.attrGet('src') ?? '');
    const label = token.content || url;
    return `<a href="${md.utils.escapeHtml(url)}" class="image-link">${md.utils.escapeHtml(label)}</a>`;
  };

  // The content policy allows no style attributes, and tables align by them.
  for (const rule of ['th_open', 'td_open']) {
    md.renderer.rules[rule] = (tokens, index, options, _env, self) => {
      const token = /** @type {import('markdown-it').Token} */ (tokens[index]);
      const align = /text-align:\s*(left|center|right)/.exec(String(token.attrGet('style') ?? ''))?.[1];
      token.attrs = align && align !== 'left' ? [['class', `align-${align}`]] : null;
      return self.renderToken(tokens, index, options);
    };
  }
  return md;
}

/** Remember of each fence whether it is closed: highlighting one that still grows would be done again for every piece. @param {Parser} md */
function noteClosedFences(md) {
  const rules = /** @type {any} */ (md.block.ruler).__rules__;
  const original = rules.find((/** @type {{ name: string }} */ rule) => rule.name === 'fence').fn;
  md.block.ruler.at(
    'fence',
    (/** @type {any} */ state, /** @type {number} */ startLine, /** @type {number} */ endLine, /** @type {boolean} */ silent) => {
      if (!original(state, startLine, endLine, silent)) return false;
      if (silent) return true;
      const token = state.tokens[state.tokens.length - 1];
      const last = state.line - 1;
      const line = state.src.slice((state.bMarks[last] ?? 0) + (state.tShift[last] ?? 0), state.eMarks[last]).trim();
      const marks = token?.markup ?? '';
      const closed = last > startLine && line.length >= marks.length && line === marks.charAt(0).repeat(line.length);
      if (token) token.meta = { closed };
      return true;
    },
    { alt: ['paragraph', 'reference', 'blockquote', 'list'] },
  );
}

export const markdown = build();

/**
 * @typedef {object} Block  One top-level block.
 * @property {number} line  Where it starts, counted from the start of the parsed text.
 * @property {string} html
 */

/**
 * Parse text and render each of its top-level blocks on its own.
 * @param {string} text
 * @param {Record<string, any>} env  Keeps link references; the same object sees those of earlier calls.
 * @returns {Block[]}
 */
export function renderBlocks(text, env) {
  return topLevel(markdown.parse(text, env)).map(({ line, tokens }) => ({
    line,
    html: markdown.renderer.render(tokens, markdown.options, env),
  }));
}

/** Where the top-level blocks of a text start. @param {string} text @param {Record<string, any>} env @returns {number[]} */
export function blockStarts(text, env) {
  // Inline content decides no boundary, and skipping it is most of the work.
  const state = new markdown.block.State(text, markdown, env, []);
  markdown.block.tokenize(state, state.line, state.lineMax);
  return topLevel(state.tokens).map((group) => group.line);
}

/** @param {import('markdown-it').Token[]} tokens */
function topLevel(tokens) {
  /** @type {{ line: number, tokens: import('markdown-it').Token[] }[]} */
  const groups = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0) groups.push({ line: token.map?.[0] ?? 0, tokens: [] });
    groups[groups.length - 1]?.tokens.push(token);
    depth += token.nesting;
  }
  return groups;
}
