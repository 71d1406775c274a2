/** The life of a server as a picture: every state, the ways between them, and where it is now. */
import { svg } from 'lit-html';
import { text } from '../../i18n/index.js';

/** @typedef {import('../../store.js').ModelState} ModelState */

const WIDTH = 118;
const HEIGHT = 32;
/** @type {{ name: 'stopped' | 'starting' | 'ready' | 'stopping' | 'failed', icon: string, x: number, y: number }[]} */
const NODES = [
  { name: 'stopped', icon: 'stopped', x: 2, y: 30 },
  { name: 'starting', icon: 'starting', x: 165, y: 30 },
  { name: 'ready', icon: 'ready', x: 328, y: 30 },
  { name: 'stopping', icon: 'starting', x: 491, y: 30 },
  { name: 'failed', icon: 'failed', x: 246, y: 92 },
];
/** There, back after a crash, away, round again, and the two ways to fail. */
const WAYS = [
  'M120 46H159',
  'M283 40H322',
  'M328 54H289',
  'M446 46H485',
  'M550 30V12H61V24',
  'M224 62V108H240',
  'M387 62V108H371',
];

/** @param {ModelState} state */
export function stateMachine(state) {
  const current = state === 'busy' ? 'ready' : state;
  return svg`<svg class="machine" viewBox="0 0 612 128" role="img" aria-label=${text.servers.machine(text.stateNames[state])}>
    ${WAYS.map((way) => svg`<path class="machine-way" d=${way} marker-end="url(#machine-arrow)"></path>`)}
    ${NODES.map((node) => drawNode(node, node.name === current, state))}
  </svg>`;
}

/** @param {typeof NODES[number]} node @param {boolean} current @param {ModelState} state */
function drawNode(node, current, state) {
  const shape = current && state === 'busy' ? 'busy' : node.icon;
  const name = text.stateNames[current ? state : node.name];
  return svg`<g class=${`machine-node is-${current ? state : node.name} ${current ? 'is-current' : ''}`}
    transform=${`translate(${node.x} ${node.y})`}>
    <rect width=${WIDTH} height=${HEIGHT} rx="8"></rect>
    <use href=${`#icon-state-${shape}`} x="8" y="8" width="16" height="16"></use>
    <text x="30" y="21">${name}</text>
  </g>`;
}

/** The head of every way; drawn once for the page, since a marker is found by its name. */
export const machineDefinitions = svg`<svg class="sprite" aria-hidden="true" width="0" height="0"><defs>
  <marker id="machine-arrow" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto">
    <path d="M1 1L7 4L1 7z"></path>
  </marker>
</defs></svg>`;
