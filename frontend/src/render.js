/** Keeps a part of the page equal to a template of signals: it is drawn again when one that it read changes. */
import { effect } from '@preact/signals-core';
import { render } from 'lit-html';

/** @param {HTMLElement} element @param {() => unknown} template */
export function keep(element, template) {
  effect(() => {
    render(template(), element);
  });
}
