/**
 * Draws every icon that the page uses into one SVG sprite inside index.html, in the place of `<!-- icons -->`.
 *
 * Shapes come from lucide-static, or from src/icons/ where the project draws its own. A page refers to one as
 * `<use href="#icon-name">`; a name that is used and not listed here shows nothing, so the list is the registration.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const OURS = ['state-busy', 'state-failed', 'state-ready', 'state-starting', 'state-stopped'];
export const LUCIDE = [
  'arrow-down', 'arrow-left', 'chart-line', 'check', 'chevron-down', 'chevron-left', 'chevron-right', 'copy', 'cloud', 'ellipsis', 'file-plus-2', 'file-text', 'gauge', 'git-fork', 'image-down', 'inbox', 'info', 'key-round', 'message-square', 'monitor',
  'panel-left', 'paperclip', 'pencil', 'plug', 'plus', 'refresh-cw', 'route', 'scroll-text', 'search', 'server', 'settings', 'arrow-up', 'sliders-horizontal', 'square', 'table-2',
  'trash-2', 'undo-2', 'x',
];

const here = dirname(fileURLToPath(import.meta.url));
const lucide = join(dirname(createRequire(import.meta.url).resolve('lucide-static/package.json')), 'icons');

/** @param {string} folder @param {string} name */
function symbol(folder, name) {
  const source = readFileSync(join(folder, `${name}.svg`), 'utf8').replace(/<!--[\s\S]*?-->/g, '');
  const body = source.slice(source.indexOf('>', source.indexOf('<svg')) + 1, source.lastIndexOf('</svg>'));
  return `<symbol id="icon-${name}" viewBox="0 0 24 24">${body.replace(/\s*\n\s*/g, '')}</symbol>`;
}

export function iconSprite() {
  return {
    name: 'icon-sprite',
    /** @param {string} html */
    transformIndexHtml(html) {
      const symbols = [
        ...LUCIDE.map((name) => symbol(lucide, name)),
        ...OURS.map((name) => symbol(join(here, '../src/icons'), name)),
      ];
      return html.replace('<!-- icons -->', `<svg class="sprite" aria-hidden="true" width="0" height="0">${symbols.join('')}</svg>`);
    },
  };
}
