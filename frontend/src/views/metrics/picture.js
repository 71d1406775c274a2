/** All charts in one picture, with their titles and values, as they are shown. */

/** @typedef {{ title: string, plots: { canvas: HTMLCanvasElement | null, values: { line: import('./cards.js').Line, value: string }[] }[] }} Pictured */

const MARGIN = 16;
const TITLE = 30;
const LEGEND = 22;

/** @param {Pictured[]} cards @param {import('./colors.js').Colors} colors @returns {Promise<Blob | null>} */
export function compose(cards, colors) {
  const ratio = devicePixelRatio;
  const drawn = cards.flatMap((card) => {
    const plots = card.plots.flatMap(({ canvas, values }) => (canvas ? [{ canvas, values }] : []));
    return plots.length ? [{ title: card.title, plots }] : [];
  });
  const width = 2 * MARGIN + Math.max(0, ...drawn.flatMap((card) => card.plots.map(({ canvas }) => canvas.width / ratio)));
  const height = drawn.reduce((sum, card) => sum + TITLE + card.plots.reduce((all, { canvas }) => all + LEGEND + canvas.height / ratio, 0), 2 * MARGIN);
  const sheet = document.createElement('canvas');
  sheet.width = Math.round(width * ratio);
  sheet.height = Math.round(height * ratio);
  const context = sheet.getContext('2d');
  if (!context) return Promise.resolve(null);
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
    for (const { canvas, values } of card.plots) {
      drawLegend(context, values, colors, y + LEGEND / 2);
      y += LEGEND;
      context.drawImage(canvas, MARGIN, y, canvas.width / ratio, canvas.height / ratio);
      y += canvas.height / ratio;
    }
  }
  return new Promise((resolve) => sheet.toBlob(resolve, 'image/png'));
}

/** @param {CanvasRenderingContext2D} context @param {Pictured['plots'][number]['values']} values @param {import('./colors.js').Colors} colors @param {number} y */
function drawLegend(context, values, colors, y) {
  context.font = colors.font;
  let x = MARGIN;
  for (const { line, value } of values) {
    if (line.quiet) continue;
    context.fillStyle = colors.hues[line.hue] ?? colors.text;
    context.fillRect(x, y - 4, 8, 8);
    context.fillStyle = colors.text;
    const label = `${line.label} ${value}`;
    context.fillText(label, x + 14, y);
    x += 14 + context.measureText(label).width + 20;
  }
}
