/**
 * The head of the view: what of the list is shown, and what is kept of requests.
 *
 * @typedef {import('../../page.js').App} App
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { text } from '../../i18n/index.js';
import { NO_FILTER } from '../../requests.js';

const words = text.requests;
const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;

/** @param {App} app */
export function filterRow({ store, actions }) {
  const { filter, content, contentAllowed, list, isFiltered } = store.requests;
  const { text: searched, model, status, errorsOnly } = filter.value;
  const by = actions.requests;
  return html`
    <h1>${words.title}</h1>
    <label class="search requests-search">
      ${icon('search')}
      <input
        type="text"
        role="searchbox"
        aria-label=${words.search}
        placeholder=${words.searchHint}
        autocomplete="off"
        spellcheck="false"
        .value=${searched}
        @input=${(/** @type {Event} */ event) => by.filterBy({ text: value(event) })}
        @keydown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key === 'Escape' && searched) by.filterBy({ text: '' });
        }}
      />
    </label>
    <input
      class="requests-model"
      type="text"
      aria-label=${words.model}
      placeholder=${words.modelHint}
      autocomplete="off"
      spellcheck="false"
      .value=${model}
      @input=${(/** @type {Event} */ event) => by.filterBy({ model: value(event) })}
    />
    <select
      aria-label=${words.status}
      .value=${String(status ?? '')}
      @change=${(/** @type {Event} */ event) => by.filterBy({ status: Number(value(event)) || null })}
    >
      <option value="">${words.anyStatus}</option>
      ${Object.entries(words.statuses).map(([first, name]) => html`<option value=${first} ?selected=${String(status) === first}>${name}</option>`)}
    </select>
    <label class="check">
      <input
        type="checkbox"
        .checked=${errorsOnly}
        @change=${(/** @type {Event} */ event) => by.filterBy({ errorsOnly: /** @type {HTMLInputElement} */ (event.target).checked })}
      />${words.errorsOnly}
    </label>
    ${isFiltered.value
      ? html`<button type="button" class="link-button" @click=${() => by.filterBy(NO_FILTER)}>${words.clearFilter}</button>`
      : nothing}
    <span class="page-space"></span>
    <label class="check" title=${words.keepContentHint}>
      <input
        type="checkbox"
        .checked=${content.value}
        ?disabled=${!contentAllowed.value}
        @change=${(/** @type {Event} */ event) => void by.keepContent(/** @type {HTMLInputElement} */ (event.target).checked)}
      />${words.keepContent}
    </label>
    <button type="button" class="small-button" title=${words.clearHint} ?disabled=${!list.value.length} @click=${() => void by.clear()}>
      ${words.clear}
    </button>
  `;
}
