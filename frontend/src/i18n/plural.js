/** A number with what it counts. */
import { count } from '../format.js';

/** @param {number} value @param {string} one @param {string} many */
export const plural = (value, one, many) => `${count(value)} ${value === 1 ? one : many}`;
