/** The words of the view Settings. What a setting is called and what it is for comes from the app. */
import { count } from '../format.js';

export const settings = {
  title: 'Settings',
  groups: 'Groups of settings',
  groupNames: { general: 'General', models: 'Models', gateway: 'Gateway', privacy: 'Metrics & privacy', desktop: 'Desktop', about: 'About' },
  tables: /** @type {Record<string, string>} */ ({
    engine: 'Engine',
    models: 'Model files',
    servers: 'Loaded models',
    gateway: 'For other programs',
    remote: 'Servers elsewhere',
    metrics: 'Metrics',
    inspector: 'Requests that are looked at',
    responses: 'Responses API',
    desktop: 'On the desktop',
    updates: 'Updates',
  }),
  reading: 'Reading the settings',
  appearance: 'Appearance',
  theme: 'Theme',
  themeHelp: 'Light or dark, or whatever this computer uses.',
  themes: /** @type {const} */ ({ system: 'System', light: 'Light', dark: 'Dark' }),
  file: 'Settings file',
  openFile: 'Open file',
  sources: { default: 'Default', file: 'From the settings file', environment: 'From the environment', 'command line': 'From the command line' },
  useDefault: 'Use the default',
  /** @param {string} label @param {string} value */
  useDefaultOf: (label, value) => `Use the default: ${value} (${label})`,
  on: 'On',
  off: 'Off',
  none: 'none',
  linesHint: 'One to a line',
  units: /** @type {Record<string, string>} */ ({ s: 's', gb: 'GB', mb: 'MB', days: 'days' }),
  /** @param {string} value */
  until: (value) => `Still ${value} until Llamero is started again.`,
  /** @param {number} changes */
  restart: (changes) => `${changes === 1 ? 'One change counts' : `${count(changes)} changes count`} once Llamero is started again.`,
  // About
  /** @param {string} version */
  version: (version) => `Llamero ${version}`,
  tagline: 'Runs language models on your own computer.',
  facts: { commit: 'Commit', built: 'Built', engine: 'Engine', system: 'System', python: 'Python' },
  fromSources: 'Runs from its sources',
  noEngine: 'None was found',
  unknown: 'Not known',
  places: 'Where things are',
  checkUpdate: 'Check for updates',
  checking: 'Looking for a newer release',
  noFeed: 'This build does not know where releases are told of. Look where you got it from.',
  /** @param {string} version */
  newer: (version) => `Llamero ${version} is available.`,
  upToDate: 'This is the newest release.',
  readAbout: 'Read about it',
  /** @param {string} size */
  download: (size) => `Download ${size}`,
  /** @param {string} done @param {string} total */
  downloading: (done, total) => `${done} of ${total}`,
  /** @param {string} path */
  downloaded: (path) => `Downloaded and verified: ${path}. Close Llamero, then open this file to install it.`,
  showFile: 'Show in folder',
  placeNames: { updates: 'Downloads', data: 'Data', models: 'Models', logs: 'Log', cache: 'Cache', settings: 'Settings' },
  open: 'Open',
  /** @param {string} name */
  openPlace: (name) => `Open ${name}`,
  licenses: 'The work of others',
  /** @param {number} works */
  licensesBody: (works) => `Llamero is made of the work of many. ${count(works)} packages are part of this one; each opens its license.`,
  showLicenses: 'Show licenses',
  /** @param {string} name */
  licenseOf: (name) => `License of ${name}`,
  noLicenseText: 'The package brings no text of its license.',
  close: 'Close',
};
