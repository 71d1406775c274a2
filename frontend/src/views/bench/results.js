/**
 * A run: what it ran on, three charts, and every number.
 *
 * @typedef {import('./source.js').BenchSource} BenchSource
 * @typedef {import('../../types/bridge.js').BenchReport} BenchReport
 * @typedef {import('../../types/bridge.js').BenchRun} BenchRun
 */
import { html, nothing } from 'lit-html';
import { icon } from '../../components/icon.js';
import { count, dateAndTime, duration, speed } from '../../format.js';
import { text } from '../../i18n/index.js';
import { copyWithSign } from '../../links.js';
import { barChart } from './bar_chart.js';
import { alone, bars, changeOf, together } from './figures.js';
import { against, asMarkdown, change, facts, tendency } from './words.js';

/** @param {BenchSource} source @param {BenchReport} report */
export function results(source, report) {
  const { run, comparison } = report;
  const byPrompt = (/** @type {import('./figures.js').BenchResult} */ result) => text.tokens(result.case.prompt);
  const byStreams = (/** @type {import('./figures.js').BenchResult} */ result) => text.bench.streamsOf(result.case.streams);
  return html`<section class="bench-run">
      ${source.progress.value ? nothing : choice(source, report)}
      <dl class="bench-facts">${facts(run).map(([name, value]) => html`<div><dt>${name}</dt><dd title=${value}>${value}</dd></div>`)}</dl>
      ${run.end === 'stopped' ? html`<p class="bench-note">${text.bench.stopped}</p>` : nothing}
      ${run.note ? html`<p class="bench-note is-bad">${run.note}</p>` : nothing}
      ${comparison ? html`<p class="bench-note">${against(comparison)}</p>` : nothing}
    </section>
    <div class="bench-charts">
      ${barChart(text.bench.reading, text.bench.readingHelp, bars(report, alone(report), 'prompt_speed', byPrompt), 1)}
      ${barChart(text.bench.writing, text.bench.writingHelp, bars(report, alone(report), 'generation_speed', byPrompt), 2)}
      ${barChart(text.bench.together, text.bench.togetherHelp, bars(report, together(report), 'total_speed', byStreams), 3)}
    </div>
    ${table(report)}`;
}

/** Which run is looked at, against which, and what can be taken away. @param {BenchSource} source @param {BenchReport} report */
function choice(source, report) {
  const { run, comparison } = report;
  const earlier = source.runs.value.filter((one) => one.model === run.model && one.started_at < run.started_at);
  const chosen = (/** @type {Event} */ event) => Number(/** @type {HTMLSelectElement} */ (event.target).value);
  return html`<div class="bench-choice">
    <span class="bench-choose">
      <label for="bench-run">${text.bench.run}</label>
      <select id="bench-run" @change=${(/** @type {Event} */ event) => void source.show(chosen(event))}>
        ${source.runs.value.map((one) => html`<option value=${one.id} .selected=${one.id === run.id}>${one.model}, ${dateAndTime(one.started_at)}</option>`)}
      </select>
    </span>
    <span class="bench-choose">
      <label for="bench-against">${text.bench.against}</label>
      <select id="bench-against" ?disabled=${!earlier.length} @change=${(/** @type {Event} */ event) => void source.show(run.id, chosen(event))}>
        ${earlier.length ? nothing : html`<option>${text.bench.nothingToCompare}</option>`}
        ${earlier.map((one) => html`<option value=${one.id} .selected=${one.id === comparison?.id}>${dateAndTime(one.started_at)}</option>`)}
      </select>
    </span>
    <span class="page-space"></span>
    ${copyButton(text.bench.copyMarkdown, () => asMarkdown(report))} ${copyButton(text.bench.copyJson, () => JSON.stringify(report, null, 2))}
  </div>`;
}

/** @param {string} label @param {() => string} content */
const copyButton = (label, content) => html`<button
  type="button"
  class="small-button bench-copy"
  @click=${(/** @type {Event} */ event) => void copyWithSign(/** @type {HTMLElement} */ (event.currentTarget), content())}
>
  ${icon('copy')}<span class="label">${label}</span>
</button>`;

/** @param {BenchReport} report */
function table(report) {
  const { columns, units } = text.bench;
  const names = /** @type {(keyof typeof columns)[]} */ (Object.keys(columns));
  return html`<div class="bench-table" tabindex="0" role="group" aria-label=${text.bench.table}>
    <table>
      <thead>
        <tr>${names.map((name) => html`<th scope="col">${columns[name]}${units[name] ? html` <span class="unit">${units[name]}</span>` : nothing}</th>`)}</tr>
      </thead>
      <tbody>
        ${report.run.results.map((result) => {
          const changes = changeOf(report, result);
          return html`<tr>
            <td>${count(result.prompt_tokens)}</td>
            <td>${count(result.case.streams)}</td>
            ${cell(result.prompt_speed, changes?.prompt_speed)} ${cell(result.generation_speed, changes?.generation_speed)} ${cell(result.total_speed, changes?.total_speed)}
            <td>${duration(result.first_token_ms)}</td>
            <td>± ${count(result.spread * 50)} %</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

/** @param {number} value @param {number | undefined} percent */
const cell = (value, percent) =>
  html`<td>${speed(value)}${percent === undefined ? nothing : html` <span class="bar-change is-${tendency(percent)}">${change(percent)}</span>`}</td>`;
