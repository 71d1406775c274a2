/**
 * What happens when a file is dropped on the page: a model is opened, and nothing else is.
 *
 * Left to itself, the browser would leave the page and show the file in its place. Where the system tells the path of
 * what is dropped, as some do, that model is opened; elsewhere a page learns a file's name only, and its path is asked for.
 *
 * @typedef {import('./page.js').App} App
 */
import { askForPath } from './components/model_picker.js';
import { text } from './i18n/index.js';
import { CHAT } from './page.js';

/** @param {App} app */
export function installDrops(app) {
  document.addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    const dropped = event.dataTransfer;
    if (!dropped?.types.includes('Files')) return;
    event.preventDefault();
    void open(app, pathOf(dropped.getData('text/uri-list')), dropped.files[0]?.name ?? '');
  });
}

/** @param {App} app @param {string | null} path @param {string} name */
async function open(app, path, name) {
  const { actions, page } = app;
  if (!(path ?? name).toLowerCase().endsWith('.gguf')) return page.notify(text.onlyModels);
  if (path !== null) {
    const refused = await actions.models.add(path);
    if (refused) page.notify(refused.message);
    return;
  }
  page.view.value = CHAT;
  askForPath(app);
  page.pathWrong.value = text.dropWithoutPath(name);
}

/** The path of the first file in a list of addresses (RFC 2483), if there is one. @param {string} list @returns {string | null} */
export function pathOf(list) {
  const address = list.split(/\r?\n/).find((line) => line.startsWith('file:'));
  if (address === undefined) return null;
  try {
    const { host, pathname } = new URL(address);
    if (host && host !== 'localhost') return null;
    return decodeURIComponent(pathname).replace(/^\/(?=[A-Za-z]:)/, '');
  } catch {
    return null;
  }
}
