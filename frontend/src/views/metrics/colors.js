/** Colours of the tokens as a canvas takes them: read off an element, since a custom property is not worked out by itself. */

/** @typedef {{ hues: Record<number, string>, soft: Record<number, string>, text: string, muted: string, line: string, band: string, surface: string, font: string, largeFont: string }} Colors */

/** @param {HTMLElement} place Inside the page. @returns {Colors} */
export function readColors(place) {
  const probe = document.createElement('span');
  probe.hidden = true;
  place.append(probe);
  const read = (/** @type {string} */ name, share = 100) => {
    probe.style.setProperty('color', `color-mix(in oklch, var(${name}) ${share}%, transparent)`);
    return getComputedStyle(probe).color;
  };
  const size = (/** @type {string} */ name) => {
    probe.style.setProperty('font-size', `var(${name})`);
    return getComputedStyle(probe).fontSize;
  };
  const family = getComputedStyle(place).fontFamily;
  const numbers = [1, 2, 3, 4, 5];
  const colors = {
    hues: Object.fromEntries(numbers.map((number) => [number, read(`--chart-${number}`)])),
    soft: Object.fromEntries(numbers.map((number) => [number, read(`--chart-${number}`, 22)])),
    text: read('--text'),
    muted: read('--muted'),
    line: read('--line'),
    band: read('--chart-band'),
    surface: read('--surface'),
    font: `${size('--size-12')} ${family}`,
    largeFont: `600 ${size('--size-15')} ${family}`,
  };
  probe.remove();
  return colors;
}
