/**
 * Which tables of the settings stand together. A table that is not named here is shown with the first group, so that a
 * new one is never out of reach.
 *
 * @typedef {import('../../types/bridge.js').Setting} Setting
 * @typedef {keyof typeof import('../../i18n/settings.js').settings.groupNames} GroupName
 */

/** @type {readonly { name: GroupName, icon: string, tables: readonly string[] }[]} */
export const GROUPS = [
  { name: 'general', icon: 'sliders-horizontal', tables: ['engine'] },
  { name: 'models', icon: 'server', tables: ['models', 'servers'] },
  { name: 'gateway', icon: 'route', tables: ['gateway', 'remote', 'responses'] },
  { name: 'privacy', icon: 'chart-line', tables: ['metrics', 'inspector'] },
  { name: 'desktop', icon: 'monitor', tables: ['desktop'] },
  { name: 'about', icon: 'info', tables: ['updates'] },
];

/** @param {Setting} setting */
export const tableOf = (setting) => setting.path.slice(0, setting.path.indexOf('.'));

/** The tables of a group in their order, each with its settings. @param {GroupName} name @param {readonly Setting[]} settings @returns {[string, Setting[]][]} */
export function tablesOf(name, settings) {
  const named = new Set(GROUPS.flatMap((group) => group.tables));
  const others = [...new Set(settings.map(tableOf))].filter((table) => !named.has(table));
  const mine = GROUPS.find((group) => group.name === name)?.tables ?? [];
  const tables = name === GROUPS[0]?.name ? [...mine, ...others] : mine;
  return tables.map((table) => /** @type {[string, Setting[]]} */ ([table, settings.filter((one) => tableOf(one) === table)])).filter(([, found]) => found.length);
}
