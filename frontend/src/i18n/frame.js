/** The words of what stands around the views: rail, strip, banner, notices and the pages for an old key and a failed start. */
export const frame = {
  app: 'Llamero',
  views: 'Views',
  viewMissing: 'This view cannot be opened. Reload the page: Llamero may have been updated.',
  chat: 'Chat',
  connecting: 'Connecting to Llamero',
  lost: 'The connection to Llamero is lost. Trying again. If it was closed, start it and use its new address.',
  refusedTitle: 'This page has an old key',
  refusedBody: 'Llamero was started again after this page was opened, and every start has a key of its own. Your conversations are safe.',
  refusedDo: 'Close this page and open the address that Llamero printed when it started, or use its window.',
  noTokenTitle: 'This page has no key',
  noTokenBody: 'Llamero lets in only pages that carry the key of this start.',
  notStartedTitle: 'Llamero could not start',
  notStartedDo: 'Close this window, and start Llamero again when that is done.',
  dismiss: 'Dismiss',
  // Strip
  hardware: 'Hardware',
  cpu: 'CPU',
  ram: 'RAM',
  gpu: 'GPU',
  vram: 'VRAM',
  noGpu: 'no GPU',
  speed: 'Speed',
  /** @param {string} used @param {string} total */
  ofTotal: (used, total) => `${used} / ${total} GB`,
  unknown: '–',
  /** @param {string} part @param {string} whole */
  of: (part, whole) => `${part} of ${whole}`,
  openMetrics: 'Open the metrics',
};
