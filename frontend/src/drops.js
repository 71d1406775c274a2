/**
 * What happens when files are dropped on the page: a model is opened, anything else is attached to the next question.
 *
 * Left to itself, the browser would leave the page and show the file in its place. Where the system tells the path of
 * what is dropped, as some do, that model is opened; elsewhere a page learns a file's name only, and its path is asked for.
 *
 * @typedef {import('./page.js').App} App
 */
import { askForPath } from './components/model_picker.js';
import { text } from './i18n/index.js';
import { CHAT } from './page.js';
import { focusComposer } from './views/chat/composer.js';

/** @param {App} app */
export function installDrops(app) {
  const hint = (/** @type {boolean} */ shown) => document.documentElement.classList.toggle('is-dropping', shown);
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    hint(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) hint(false); // it left the page, and not one element for another
  });
  document.addEventListener('drop', (event) => {
    hint(false);
    const dropped = event.dataTransfer;
    if (!dropped?.types.includes('Files')) return;
    event.preventDefault();
    const path = pathOf(dropped.getData('text/uri-list'));
    const files = [...dropped.files];
    const model = path !== null && isModel(path) ? path : files.find(({ name }) => isModel(name))?.name;
    const others = files.filter(({ name }) => !isModel(name));
    if (model !== undefined) void open(app, path, model);
    if (others.length) attach(app, others);
    else if (model === undefined) app.page.notify(text.dropNotGiven);
  });
}

/** @param {string} name */
const isModel = (name) => name.toLowerCase().endsWith('.gguf');

/** @param {App} app @param {File[]} files */
function attach({ actions, page }, files) {
  page.view.value = CHAT;
  void actions.attachments.add(files);
  focusComposer();
}

/** @param {App} app @param {string | null} path @param {string} name */
async function open(app, path, name) {
  const { actions, page } = app;
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
