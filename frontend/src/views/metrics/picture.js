/** All charts in one picture, with their titles and values, as they are shown. */

/** @typedef {{ title: string, plots: { canvas: HTMLCanvasElement | null, values: { line: import('./cards.js').Line, value: string }[] }[] }} Pictured */

const MARGIN = 16;
const TITLE = 30;
const LEGEND = 22;
const SWATCH = 14;
const GAP = 20;

/** @param {Pictured[]} cards @param {import('./colors.js').Colors} colors @returns {Promise<Blob | null>} */
export function compose(cards, colors) {
  const ratio = devicePixelRatio;
  const sheet = document.createElement('canvas');
  const context = sheet.getContext('2d');
  if (!context) return Promise.resolve(null);
  context.font = colors.font;
  const measure = (/** @type {string} */ label) => context.measureText(label).width;
  const drawn = cards.flatMap((card) => {
    const plots = card.plots.flatMap(({ canvas, values }) => (canvas ? [{ canvas, rows: legendRows(values, canvas.width / ratio, measure) }] : []));
    return plots.length ? [{ title: card.title, plots }] : [];
  });
  const width = 2 * MARGIN + Math.max(0, ...drawn.flatMap((card) => card.plots.map(({ canvas }) => canvas.width / ratio)));
  const height = drawn.reduce((sum, card) => sum + TITLE + card.plots.reduce((all, { canvas, rows }) => all + rows.length * LEGEND + canvas.height / ratio, 0), 2 * MARGIN);
  sheet.width = Math.round(width * ratio);
  sheet.height = Math.round(height * ratio);
  context.scale(ratio, ratio);
  context.fillStyle = colors.surface;
  context.fillRect(0, 0, width, height);
  context.textBaseline = 'middle';
  let y = MARGIN;
  for (const card of drawn) {
    context.fillStyle = colors.text;
    context.font = colors.largeFont;
    context.fillText(card.title, MARGIN, y + TITLE / 2);
    y += TITLE;
    for (const { canvas, rows } of card.plots) {
      for (const row of rows) {
        drawLegend(context, row, colors, y + LEGEND / 2);
        y += LEGEND;
      }
      context.drawImage(canvas, MARGIN, y, canvas.width / ratio, canvas.height / ratio);
      y += canvas.height / ratio;
    }
  }
  return new Promise((resolve) => sheet.toBlob(resolve, 'image/png'));
}

/**
 * A legend in rows that fit, so that nothing that is said of a chart leaves the picture.
 *
 * @typedef {{ hue: number, label: string, width: number }} Entry
 * @param {Pictured['plots'][number]['values']} values @param {number} room @param {(label: string) => number} measure
 */
export function legendRows(values, room, measure) {
  /** @type {Entry[][]} */
  const rows = [[]];
  let taken = 0;
  for (const { line, value } of values) {
    if (line.quiet) continue;
    const label = `${line.label} ${value}`;
    const width = SWATCH + measure(label) + GAP;
    if (taken && taken + width - GAP > room) {
      rows.push([]);
      taken = 0;
    }
    rows.at(-1)?.push({ hue: line.hue, label, width });
    taken += width;
  }
  return rows;
}

/** @param {CanvasRenderingContext2D} context @param {Entry[]} row @param {import('./colors.js').Colors} colors @param {number} y */
function drawLegend(context, row, colors, y) {
  context.font = colors.font;
  let x = MARGIN;
  for (const { hue, label, width } of row) {
    context.fillStyle = colors.hues[hue] ?? colors.text;
    context.fillRect(x, y - 4, 8, 8);
    context.fillStyle = colors.text;
    context.fillText(label, x + SWATCH, y);
    x += width;
  }
}
