// A line plot as SVG (W3C SVG 1.1), for measurements over a quantity that doubles or grows tenfold:
// a logarithmic axis below, a linear one from zero upwards. Pure.

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
  readonly lines: readonly Line[];
}

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { left: 80, right: 150, top: 40, bottom: 50 } as const;
const TICKS = 5;
const colours = ["#0b6e99", "#b5482a", "#4b7f2e", "#7a4fa3"] as const;

/**
 * The plot as an SVG document. Throws a RangeError where there is no point or an x is not above 0.
 */
export function drawPlot(plot: Plot): string {
  const points = plot.lines.flatMap((line) => line.points);
  if (points.length === 0 || points.some(({ x, y }) => !(x > 0) || !Number.isFinite(y))) {
    throw new RangeError(`plot "${plot.title}" needs points with x above 0`);
  }
  const xs = [...new Set(points.map(({ x }) => x))].sort((left, right) => left - right);
  const [least, most] = [Math.log(xs[0]!), Math.log(xs.at(-1)!)];
  const top = roundUp(Math.max(...points.map(({ y }) => y)));
  const across = WIDTH - MARGIN.left - MARGIN.right;
  const up = HEIGHT - MARGIN.top - MARGIN.bottom;
  const placeX = (x: number) => MARGIN.left + (most === least ? 0.5 : (Math.log(x) - least) / (most - least)) * across;
  const placeY = (y: number) => HEIGHT - MARGIN.bottom - (top === 0 ? 0 : y / top) * up;
  const parts = [
    text(WIDTH / 2, 22, plot.title, "middle", 15),
    text(MARGIN.left + across / 2, HEIGHT - 10, plot.xName, "middle"),
    text(14, MARGIN.top - 14, plot.yName, "start"),
    ...Array.from({ length: TICKS + 1 }, (_, tick) => (top * tick) / TICKS).flatMap((y) => [
      `<path d="M${MARGIN.left} ${fixed(placeY(y))}H${WIDTH - MARGIN.right}" stroke="#ddd"/>`,
      text(MARGIN.left - 8, placeY(y) + 4, shown(y), "end"),
    ]),
    ...xs.map((x) => text(placeX(x), HEIGHT - MARGIN.bottom + 18, shown(x), "middle")),
    ...plot.lines.flatMap((line, index) => drawLine(line, colours[index % colours.length]!, index, placeX, placeY)),
  ];
  const style = `font-family="sans-serif" font-size="12" fill="#222"`;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ${style}>`;
  return `${head}\n<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`;
}

function drawLine(
  { name, points }: Line,
  colour: string,
  index: number,
  placeX: (x: number) => number,
  placeY: (y: number) => number,
): string[] {
  const sorted = [...points].sort((left, right) => left.x - right.x);
  const path = sorted.map(({ x, y }) => `${fixed(placeX(x))} ${fixed(placeY(y))}`).join("L");
  const y = MARGIN.top + 18 * index;
  return [
    `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...sorted.map(({ x, y }) => `<circle cx="${fixed(placeX(x))}" cy="${fixed(placeY(y))}" r="3" fill="${colour}"/>`),
    `<path d="M${WIDTH - MARGIN.right + 12} ${y}h18" stroke="${colour}" stroke-width="2"/>`,
    text(WIDTH - MARGIN.right + 36, y + 4, name, "start"),
  ];
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten. */
function roundUp(value: number): number {
  if (value < Number.EPSILON) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 2.5, 5, 10].find((step) => step * power >= value)!;
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end", size = 12): string {
  const escaped = content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}" font-size="${size}">${escaped}</text>`;
}

function shown(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : 0 });
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
