/**
 * Where the views stand: one of them is shown, the others are hidden as they were left.
 *
 * @typedef {import('../page.js').App} App
 */
import { computed, effect } from '@preact/signals-core';
import { text } from '../i18n/index.js';
import { VIEWS } from './registry.js';

/** @param {HTMLElement} stage @param {App} app */
export function mountViews(stage, app) {
  /** @type {Map<string, HTMLElement>} */
  const places = new Map();
  effect(() => {
    const name = app.page.view.value;
    for (const [other, place] of places) place.hidden = other !== name;
    if (places.has(name)) return;
    const view = VIEWS.find((one) => one.name === name);
    if (!view) return;
    const place = document.createElement('div');
    place.className = `view is-${name}`;
    stage.append(place);
    places.set(name, place);
    void fill(place, view, app).catch(() => {
      // A page that is older than the app finds none of the app's files.
      places.delete(name);
      place.remove();
      app.page.notify(text.viewMissing);
    });
  });
}

/** @param {HTMLElement} place @param {import('./registry.js').View} view @param {App} app */
async function fill(place, view, app) {
  const loading = view.load();
  const mount = loading instanceof Promise ? await loading : loading;
  mount(place, app, computed(() => app.page.view.value === view.name));
}
