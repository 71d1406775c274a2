/** Whether there is a newer release, and the way to it. Nothing is installed from here. */
import { html, nothing } from 'lit-html';
import { fileSize } from '../../format.js';
import { text } from '../../i18n/index.js';

const words = text.preferences;

/** @param {import('./source.js').SettingsSource} source */
export function update(source) {
  const { store, actions } = source.app;
  const known = store.update.value;
  if (!known) return nothing;
  if (!known.possible) return html`<p class="about-update help">${words.noFeed}</p>`;
  const { newest, newer, page, path, done } = known;
  const total = known.total ?? 0;
  return html`<div class="about-update" role="status">
    <p>${source.checking.value ? words.checking : newest === null ? nothing : newer ? words.newer(newest) : words.upToDate}</p>
    ${done === null ? nothing : html`<progress max=${total} value=${done} aria-label=${words.downloading(fileSize(done), fileSize(total))}></progress>`}
    ${path === null ? nothing : html`<p class="help">${words.downloaded(path)}</p>`}
    <div class="about-acts">
      <button type="button" class="small-button" ?disabled=${source.checking.value} @click=${() => void source.checkUpdate()}>${words.checkUpdate}</button>
      ${page === null ? nothing : html`<button type="button" class="small-button" @click=${() => void actions.ui.openLink(page)}>${words.readAbout}</button>`}
      ${known.file !== null && path === null && store.nativeDialogs.value
        ? html`<button type="button" class="small-button is-primary" ?disabled=${done !== null} @click=${() => void actions.settings.downloadUpdate()}>
            ${done === null ? words.download(fileSize(total)) : words.downloading(fileSize(done), fileSize(total))}
          </button>`
        : nothing}
      ${path !== null && store.nativeDialogs.value
        ? html`<button type="button" class="small-button" @click=${() => void actions.settings.openPlace('updates')}>${words.showFile}</button>`
        : nothing}
    </div>
  </div>`;
}
