/** The state of a model: a shape besides its colour, and its name for those who see neither. */
import { html } from 'lit-html';
import { text } from '../i18n/index.js';
import { icon } from './icon.js';

/** @param {import('../store.js').ModelState} state */
export const stateMark = (state) => {
  const shape = state === 'stopping' ? 'starting' : state;
  return html`<span class="state-mark is-${state}" role="img" aria-label=${text.stateNames[state]} title=${text.stateNames[state]}
    >${icon(`state-${shape}`)}</span
  >`;
};
