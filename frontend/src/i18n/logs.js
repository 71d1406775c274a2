/** The words of the view Logs. */
import { plural } from './plural.js';

export const logs = {
  title: 'Logs',
  source: 'Written by',
  sources: /** @type {Record<string, string>} */ ({ all: 'Everything', app: 'Llamero', engine: 'Engines' }),
  level: 'Least level',
  levels: { debug: 'All levels', info: 'Info', warning: 'Warnings', error: 'Errors' },
  levelNames: /** @type {Record<string, string>} */ ({ debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'fatal' }),
  filter: 'Filter',
  filterLabel: 'Show only lines with these words',
  follow: 'Follow',
  following: 'Following',
  followHint: 'Keep the newest line in sight',
  copyHint: 'Copy the lines that are shown',
  openFile: 'Open file',
  empty: 'Nothing has been logged since Llamero was started.',
  nothingFits: 'No line fits the filter.',
  /** @param {number} value */
  skipped: (value) => `${plural(value, 'line', 'lines')} left out: more was written than can be shown. The file has all of it.`,
};
