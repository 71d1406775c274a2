/** The base URLs that other programs want, each with a button to copy it. */
import { html, nothing } from 'lit-html';
import { text } from '../../i18n/index.js';
import { copyWithSign } from '../../links.js';

const words = text.gateway;

/** @param {import('./source.js').GatewaySource} source */
export function addresses({ app }) {
  const state = app.store.gateway.value;
  return html`<h2 id="gateway-addresses">${words.addresses}</h2>
    ${state
      ? html`<p class="help">${words.addressesBody} ${state.key_required ? words.needsKey : words.anyKey}</p>
          <dl class="addresses">
            ${address(words.dialects.openai, `${state.url}/v1`)} ${address(words.dialects.anthropic, state.url)} ${address(words.dialects.ollama, state.url)}
            ${state.ollama_url ? address(words.secondPort, state.ollama_url) : nothing}
          </dl>
          ${state.ollama_url
            ? nothing
            : html`<p class="help ${state.ollama_port ? 'is-bad' : ''}">${state.ollama_port ? words.secondTaken(state.ollama_port) : words.secondOff}</p>`}`
      : html`<p class="help">${words.closed}</p>`}`;
}

/** @param {string} name @param {string} url */
const address = (name, url) => html`<div>
  <dt>${name}</dt>
  <dd>
    <code>${url}</code>${copyButton(words.copyOf(name), url)}
  </dd>
</div>`;

/** @param {string} label @param {string} content */
export const copyButton = (label, content) =>
  html`<button
    type="button"
    class="small-button"
    aria-label=${label}
    @click=${(/** @type {Event} */ event) => void copyWithSign(/** @type {HTMLElement} */ (event.currentTarget), content)}
  >
    <span class="label" aria-live="polite">${words.copy}</span>
  </button>`;
