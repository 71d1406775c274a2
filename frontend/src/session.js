/**
 * Who this page is: the token of this launch and an id of this window.
 *
 * The token arrives in the URL's fragment, which no server and no log sees, and leaves the address bar at once. Both
 * live in sessionStorage, so that a reload keeps them. A duplicated tab inherits a copy of that storage, and two pages
 * with one window id would take each other's place for ever; so only a reload keeps the id.
 */

const TOKEN = 'llamero.token';
const WINDOW = 'llamero.window';

/** @returns {{ token: string | null, windowId: string }} */
export function openSession() {
  const given = new URLSearchParams(location.hash.slice(1)).get('t');
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, '', location.pathname);
  }
  const [navigation] = performance.getEntriesByType('navigation');
  const reloaded = navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload';
  const known = reloaded ? sessionStorage.getItem(WINDOW) : null;
  const windowId = known ?? crypto.randomUUID();
  sessionStorage.setItem(WINDOW, windowId);
  return { token: sessionStorage.getItem(TOKEN), windowId };
}
