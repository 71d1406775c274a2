/**
 * TeX between `$…$`, `\(…\)`, `$$…$$` and `\[…\]`. The rules only find it; math.js draws it once KaTeX has loaded.
 *
 * What opens a block of math stays one block until it is closed or a blank line says that it was none. Deciding line by
 * line like that is what lets finished blocks be frozen while text still arrives.
 */

const INLINE = [
  { open: '\\(', close: '\\)' },
  { open: '\\[', close: '\\]' },
  { open: '$$', close: '$$' },
];

/** @param {any} md  A MarkdownIt. */
export function mathRules(md) {
  md.inline.ruler.before('escape', 'math', inlineMath);
  md.block.ruler.before('fence', 'math_block', blockMath, { alt: ['paragraph', 'reference', 'blockquote', 'list'] });
  const escape = md.utils.escapeHtml;
  md.renderer.rules.math_inline = (/** @type {any[]} */ tokens, /** @type {number} */ index) =>
    `<code class="math ${tokens[index].meta.display ? 'math-display' : 'math-inline'}">${escape(tokens[index].content)}</code>`;
  md.renderer.rules.math_block = (/** @type {any[]} */ tokens, /** @type {number} */ index) =>
    `<p><code class="math math-display">${escape(tokens[index].content)}</code></p>\n`;
  md.renderer.rules.math_open = (/** @type {any[]} */ tokens, /** @type {number} */ index) =>
    `<p>${escape(tokens[index].content)}</p>\n`;
}

/** @param {any} state @param {boolean} silent */
function inlineMath(state, silent) {
  const { src, pos } = state;
  const first = src.charCodeAt(pos);
  if (first !== 0x24 && first !== 0x5c) return false;
  for (const { open, close } of INLINE) {
    if (!src.startsWith(open, pos)) continue;
    const end = src.indexOf(close, pos + open.length);
    if (end < 0 || !src.slice(pos + open.length, end).trim()) continue;
    return emit(state, silent, pos + open.length, end, end + close.length, open !== '\\(');
  }
  if (first !== 0x24) return false;
  // Prices are not math: no space inside the marks, no digit behind them.
  if (/[\s$]/.test(src.charAt(pos + 1) || ' ')) return false;
  for (let end = src.indexOf('$', pos + 1); end > 0; end = src.indexOf('$', end + 1)) {
    if (src.charAt(end - 1) === '\\') continue;
    if (/\s/.test(src.charAt(end - 1)) || /\d/.test(src.charAt(end + 1))) return false;
    return emit(state, silent, pos + 1, end, end + 1, false);
  }
  return false;
}

/** @param {any} state @param {boolean} silent @param {number} start @param {number} end @param {number} next @param {boolean} display */
function emit(state, silent, start, end, next, display) {
  if (!silent) {
    const token = state.push('math_inline', 'code', 0);
    token.content = state.src.slice(start, end).trim();
    token.meta = { display };
  }
  state.pos = next;
  return true;
}

/** @param {any} state @param {number} startLine @param {number} endLine @param {boolean} silent */
function blockMath(state, startLine, endLine, silent) {
  if (state.sCount[startLine] - state.blkIndent >= 4) return false;
  const lineOf = (/** @type {number} */ line) => state.src.slice(state.bMarks[line] + state.tShift[line], state.eMarks[line]);
  const first = lineOf(startLine).trimEnd();
  const close = first.startsWith('$$') ? '$$' : first.startsWith('\\[') ? '\\]' : null;
  if (close === null) return false;
  // Closed on its own line and followed by more text: that is inline math in a paragraph.
  const sameLine = first.indexOf(close, 2);
  if (sameLine >= 0 && sameLine + 2 < first.length) return false;

  let line = startLine;
  const lines = [];
  let closed = sameLine >= 2;
  if (closed) {
    lines.push(first.slice(2, sameLine));
  } else {
    lines.push(first.slice(2));
    for (line = startLine + 1; line < endLine; line++) {
      const text = lineOf(line).trimEnd();
      if (!text || state.sCount[line] < state.blkIndent) return false;
      closed = text.endsWith(close);
      lines.push(closed ? text.slice(0, -2) : text);
      if (closed) break;
    }
  }
  if (silent) return true;
  state.line = Math.min(line + 1, endLine);
  const token = state.push(closed ? 'math_block' : 'math_open', 'code', 0);
  token.block = true;
  token.content = closed ? lines.join('\n').trim() : state.getLines(startLine, state.line, state.blkIndent, false);
  token.map = [startLine, state.line];
  return true;
}
