/** What the program says about itself: build, engine, where it keeps its things, whose work is in it. */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';
import { update } from './update.js';

const words = text.preferences;
const SHORT_HASH = 12;

/** @param {import('./source.js').SettingsSource} source */
export function about(source) {
  const known = source.about.value;
  if (!known) return nothing;
  const { build } = known;
  return html`<section class="about" aria-labelledby="about-title">
      <img class="about-mark" src="/favicon.svg" alt="" />
      <div>
        <h2 id="about-title">${words.version(build.version)}</h2>
        <p class="help">${words.tagline}</p>
      </div>
      <dl class="facts">
        ${fact(words.facts.commit, build.commit === null ? words.unknown : build.commit.slice(0, SHORT_HASH))}
        ${fact(words.facts.built, build.built === null ? words.fromSources : build.built.slice(0, build.built.indexOf('T')))}
        ${fact(words.facts.engine, known.engine || words.noEngine)} ${fact(words.facts.system, known.system)}
        ${fact(words.facts.python, known.python)}
      </dl>
      ${update(source)}
    </section>
    ${places(source, known)} ${licenses(source)}`;
}

/** @param {string} name @param {string} value */
const fact = (name, value) => html`<div><dt>${name}</dt><dd title=${value}>${value}</dd></div>`;

/** @param {import('./source.js').SettingsSource} source @param {import('../../types/bridge.js').About} known */
function places(source, known) {
  const native = source.app.store.nativeDialogs.value;
  return html`<section class="setting-table" aria-labelledby="about-places">
    <h2 id="about-places">${words.places}</h2>
    <ul class="places">
      ${known.places.map(({ name, path }) => {
        const label = words.placeNames[name];
        return html`<li>
          <span>${label}</span><code title=${path}>${path}</code>
          ${native
            ? html`<button type="button" class="small-button" aria-label=${words.openPlace(label)} @click=${() => void source.app.actions.settings.openPlace(name)}>${words.open}</button>`
            : nothing}
        </li>`;
      })}
    </ul>
  </section>`;
}

/** @param {import('./source.js').SettingsSource} source */
function licenses(source) {
  const known = source.licenses.value;
  return html`<section class="setting-table" aria-labelledby="about-licenses">
    <h2 id="about-licenses">${words.licenses}</h2>
    ${known === null
      ? html`<button type="button" class="small-button" @click=${() => void source.showLicenses()}>${words.showLicenses}</button>`
      : html`<p class="help">${words.licensesBody(known.length)}</p>
          <ul class="licenses">
            ${known.map(
              (one) => html`<li>
                <button type="button" class="license" @click=${() => void source.showLicense(one.name)}>
                  <span>${one.name} <span class="license-version">${one.version}</span></span><span class="license-terms">${one.license}</span>
                </button>
              </li>`,
            )}
          </ul>`}
  </section>`;
}

/** @param {import('./source.js').SettingsSource} source */
export function licenseDialog(source) {
  const shown = source.license.value;
  if (!shown) return nothing;
  const close = () => (source.license.value = null);
  return html`<header>
      <h2>${shown.name} ${shown.version}</h2>
      <button type="button" class="icon-button" aria-label=${words.close} @click=${close}>${icon('x')}</button>
    </header>
    <p class="help">${shown.license}</p>
    <pre tabindex="0">${shown.text || words.noLicenseText}</pre>`;
}
