/**
 * The settings view: every setting with its value and where that came from, in groups; and About.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('@preact/signals-core').ReadonlySignal<boolean>} Shown
 */
import { effect } from '@preact/signals-core';
import { html, nothing, render } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';
import { keep } from '../../render.js';
import { about, licenseDialog } from './about.js';
import { field } from './field.js';
import { GROUPS, tablesOf } from './groups.js';
import { SettingsSource } from './source.js';

const words = text.preferences;

/** @param {HTMLElement} root @param {App} app @param {Shown} shown */
export function mountSettings(root, app, shown) {
  render(
    html`<main class="page settings">
      <header class="page-header"></header>
      <div class="settings-body">
        <nav class="settings-groups" aria-label=${words.groups}></nav>
        <div class="settings-column page-body"><div class="settings-notes" role="status"></div><div class="settings-list"></div></div>
      </div>
      <dialog class="log license-text" aria-label=${words.licenses}></dialog>
    </main>`,
    root,
  );
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  const source = new SettingsSource(app, shown);
  keep(part('.page-header'), () => header(source));
  keep(part('.settings-groups'), () => groups(source));
  keep(part('.settings-notes'), () => notes(source));
  keep(part('.settings-list'), () => list(source));
  effect(() => {
    source.group.value; // another group begins at its top
    part('.settings-column').scrollTop = 0;
  });
  const dialog = /** @type {HTMLDialogElement} */ (root.querySelector('dialog'));
  dialog.addEventListener('close', () => (source.license.value = null));
  keep(dialog, () => licenseDialog(source));
  effect(() => {
    if (source.license.value && !dialog.open) dialog.showModal();
    else if (!source.license.value && dialog.open) dialog.close();
  });
}

/** @param {SettingsSource} source */
function header(source) {
  const native = source.app.store.nativeDialogs.value;
  const file = source.report.value?.file;
  return html`<h1>${words.title}</h1>
    <span class="page-summary settings-file" title=${words.file}>${file ?? nothing}</span>
    ${native && file
      ? html`<button type="button" class="small-button" @click=${() => void source.app.actions.settings.openPlace('settings')}>${words.openFile}</button>`
      : nothing}`;
}

/** @param {SettingsSource} source */
const groups = (source) => html`${GROUPS.map(
  (group) => html`<button
    type="button"
    class="settings-group"
    aria-current=${source.group.value === group.name ? 'true' : 'false'}
    @click=${() => (source.group.value = group.name)}
  >
    ${icon(group.icon)}<span>${words.groupNames[group.name]}</span>
  </button>`,
)}`;

/** @param {SettingsSource} source */
function notes(source) {
  const problems = source.report.value?.problems ?? [];
  const waiting = source.waiting.value;
  return html`${problems.map((problem) => html`<p class="settings-note is-bad">${problem}</p>`)}
  ${waiting ? html`<p class="settings-note">${icon('refresh-cw')}${words.restart(waiting)}</p>` : nothing}`;
}

/** @param {SettingsSource} source */
function list(source) {
  const report = source.report.value;
  const group = source.group.value;
  if (!report) return html`<p class="help">${words.reading}</p>`;
  return html`${group === 'general' ? appearance(source) : nothing}
    ${group === 'about' ? about(source) : nothing}
    ${tablesOf(group, report.settings).map(
      ([table, settings]) => html`<section class="setting-table" aria-labelledby="settings-${table}">
        <h2 id="settings-${table}">${words.tables[table] ?? table}</h2>
        ${settings.map((setting) => field(source, setting))}
      </section>`,
    )}`;
}

/** @param {SettingsSource} source */
function appearance({ app }) {
  const now = app.store.ui.value.theme ?? 'system';
  return html`<section class="setting-table" aria-labelledby="settings-appearance">
    <h2 id="settings-appearance">${words.appearance}</h2>
    <div class="setting">
      <span class="setting-name" id="settings-theme">${words.theme}</span>
      <div class="setting-value setting-control">
        <div class="segments" role="radiogroup" aria-labelledby="settings-theme">
          ${/** @type {(keyof typeof words.themes)[]} */ (Object.keys(words.themes)).map(
            (theme) => html`<label class="segment"
              ><input type="radio" name="theme" class="visually-hidden" .checked=${now === theme} @change=${() => app.actions.ui.remember({ theme })} /><span
                >${words.themes[theme]}</span
              ></label
            >`,
          )}
        </div>
      </div>
      <p class="help">${words.themeHelp}</p>
    </div>
  </section>`;
}
