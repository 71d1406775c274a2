/**
 * What is drawn of a run: three groups of bars, each against the same bar of the run that it is compared with. Pure.
 *
 * @typedef {import('../../types/bridge.js').BenchReport} BenchReport
 * @typedef {import('../../types/bridge.js').BenchResult} BenchResult
 * @typedef {import('../../types/bridge.js').BenchChange} BenchChange
 * @typedef {import('../../types/bridge.js').BenchCase} BenchCase
 * @typedef {'prompt_speed' | 'generation_speed' | 'total_speed'} Quantity
 * @typedef {{ label: string, value: number, share: number, before: number | null, change: number | null }} Bar
 *   Shares are of the longest bar of the group; `before` is the share of the run compared with, `change` in percent.
 */

/** @param {BenchCase} one @param {BenchCase} other */
const same = (one, other) => one.prompt === other.prompt && one.streams === other.streams;

/** @param {BenchReport} report @param {BenchResult} result @returns {BenchChange | null} */
export const changeOf = (report, result) => report.comparison?.changes.find((change) => same(change.case, result.case)) ?? null;

/** The cases of one stream, by length of prompt. @param {BenchReport} report */
export const alone = (report) => report.run.results.filter((result) => result.case.streams === 1);

/** The cases of the shortest prompt, by number of streams. @param {BenchReport} report */
export function together(report) {
  const shortest = Math.min(...report.run.results.map((result) => result.case.prompt));
  return report.run.results
    .filter((result) => result.case.prompt === shortest)
    .sort((one, other) => one.case.streams - other.case.streams);
}

/** @param {BenchReport} report @param {BenchResult[]} results @param {Quantity} quantity @param {(result: BenchResult) => string} label @returns {Bar[]} */
export function bars(report, results, quantity, label) {
  const rows = results.map((result) => {
    const change = changeOf(report, result)?.[quantity] ?? null;
    const value = result[quantity];
    return { label: label(result), value, change, before: change === null || change <= -100 ? null : value / (1 + change / 100) };
  });
  const longest = Math.max(...rows.flatMap((row) => [row.value, row.before ?? 0]), Number.MIN_VALUE);
  return rows.map((row) => ({ ...row, share: row.value / longest, before: row.before === null ? null : row.before / longest }));
}
