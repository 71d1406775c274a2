/**
 * What differs between the kinds of models.
 *
 * @typedef {import('./types/bridge.js').ModelInfo} ModelInfo
 */

/** Does it run on this computer, whatever else is asked? A fallback may lead elsewhere. @param {ModelInfo} model */
export const isLocal = ({ kind }) => kind === 'user' || kind === 'model';
