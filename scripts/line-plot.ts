/** A small SVG of lines: enough for the documentation, and nothing to install. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** Horizontal limits, dashed. */
  readonly limits?: readonly { readonly name: string; readonly y: number }[];
  /** Vertical marks, dashed: where something was decided. */
  readonly marks?: readonly { readonly name: string; readonly x: number }[];
}

const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 48;
const BOTTOM = 36;
const TOP = 28;

export function plotSvg({ title, x, y, lines, limits = [], marks = [] }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const xs = [...points.map(([at]) => at), ...marks.map((mark) => mark.x)];
  const ys = [...points.map(([, value]) => value), ...limits.map((limit) => limit.y)];
  const [xLeast, xMost] = [Math.min(...xs), Math.max(...xs)];
  const [yLeast, yMost] = [Math.min(...ys), Math.max(...ys)];
  const right = WIDTH - 12;
  const floor = HEIGHT - BOTTOM;
  const px = (at: number): string =>
    (LEFT + ((at - xLeast) / (xMost - xLeast || 1)) * (right - LEFT)).toFixed(1);
  const py = (at: number): string =>
    (floor - ((at - yLeast) / (yMost - yLeast || 1)) * (floor - TOP)).toFixed(1);
  const label = (at: string, top: string | number, text: string, anchor = 'start'): string =>
    `<text x="${at}" y="${top}" text-anchor="${anchor}">${escaped(text)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
      'font-family="sans-serif" font-size="11">',
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    label(String(LEFT), 16, title),
    `<path d="M${LEFT} ${TOP}V${floor}H${right}" fill="none" stroke="#888"/>`,
    label(String(LEFT), floor + 14, shortly(xLeast)),
    label(String(right), floor + 14, shortly(xMost), 'end'),
    label(String((LEFT + right) / 2), floor + 28, x, 'middle'),
    label(String(LEFT - 4), floor, shortly(yLeast), 'end'),
    label(String(LEFT - 4), TOP + 8, shortly(yMost), 'end'),
    `<text transform="translate(12 ${(TOP + floor) / 2}) rotate(-90)" text-anchor="middle">` +
      `${escaped(y)}</text>`,
    ...limits.flatMap((limit) => [
      `<path d="M${LEFT} ${py(limit.y)}H${right}" stroke="#888" stroke-dasharray="4 3"/>`,
      label(String(right), (Number(py(limit.y)) - 4).toFixed(1), limit.name, 'end'),
    ]),
    ...marks.flatMap((mark) => [
      `<path d="M${px(mark.x)} ${TOP}V${floor}" stroke="#c33" stroke-dasharray="4 3"/>`,
      label(px(mark.x), TOP - 2, mark.name, 'end'),
    ]),
    ...lines.map(
      (line) =>
        `<polyline fill="none" stroke="${line.colour}" stroke-width="1.5" points="` +
        `${line.points.map(([at, value]) => `${px(at)},${py(value)}`).join(' ')}"/>`,
    ),
    ...lines.map(
      (line, at) =>
        `<text x="${LEFT + 10}" y="${TOP + 14 + 13 * at}" fill="${line.colour}">` +
        `${escaped(line.name)}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

function shortly(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
