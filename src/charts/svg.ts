/** A chart as an SVG of 800 by 300, on white: bars for times, a line for percentages. Drawn by hand: it is two shapes and an axis. */
import type { Chart } from "../chat/reply.ts";
import { drawMark, MARKS } from "./marks.ts";
import { type Scale, scaleOf, valueLabel } from "./scale.ts";

const WIDTH = 800;
const HEIGHT = 300;
const PLOT = { left: 62, right: 784, top: 70, bottom: 264 } as const;
const INK = "#1c1e21";
const QUIET = "#5c6470";
const GRID = "#e3e6eb";
/** More would be a comb; the newest are kept. */
const MOST_POINTS = 60;
const TITLE_LENGTH = 80;
const LABEL_LENGTH = 12;
/** A label of twelve characters at 12 pixels, and some air. */
const LABEL_WIDTH = 7.5;

type Point = Chart["points"][number];
type Placed = Point & { readonly x: number; readonly y: number };

/** Whatever the title and the labels say, it is text. */
export function chartSvg(chart: Chart): string {
  const points = chart.points.slice(-MOST_POINTS);
  const scale = scaleOf({ ...chart, points });
  const slot = (PLOT.right - PLOT.left) / points.length;
  const placed = points.map((point, index): Placed => {
    const share = (Math.max(0, point.value) - scale.low) / (scale.high - scale.low);
    const y = PLOT.bottom - Math.min(1, Math.max(0, share)) * (PLOT.bottom - PLOT.top);
    return { ...point, x: PLOT.left + slot * (index + 0.5), y };
  });
  const radius = Math.min(6, slot * 0.4);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="DejaVu Sans, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(16, 28, cut(chart.title, TITLE_LENGTH), `font-size="16" font-weight="bold" fill="${INK}"`),
    ...legend(points),
    ...grid(scale),
    ...(chart.unit === "ms" ? bars(placed, slot) : [polyline(placed)]),
    ...placed.map(({ tone, x, y }) => drawMark(tone, x, chart.unit === "ms" ? y - radius - 4 : y, radius)),
    ...labels(placed, slot),
    ...newest(chart.unit, placed.at(-1), radius),
    "</svg>",
  ].join("\n");
}

/** What the signs mean, of those that are there. */
function legend(points: readonly Point[]): string[] {
  let x = 22;
  return [...new Set(points.map(({ tone }) => tone))].flatMap((tone) => {
    const { word } = MARKS[tone];
    if (word === "") return [];
    const at = x;
    x += 34 + word.length * LABEL_WIDTH;
    return [drawMark(tone, at, 46, 5.5), text(at + 11, 50, word, `fill="${QUIET}"`)];
  });
}

function grid({ low, high, ticks }: Scale): string[] {
  return ticks.flatMap(({ value, label }) => {
    const y = PLOT.bottom - ((value - low) / (high - low)) * (PLOT.bottom - PLOT.top);
    const colour = value === low ? QUIET : GRID;
    return [
      `<line x1="${PLOT.left}" y1="${y.toFixed(1)}" x2="${PLOT.right}" y2="${y.toFixed(1)}" stroke="${colour}"/>`,
      text(PLOT.left - 8, y + 4, label, `text-anchor="end" fill="${QUIET}"`),
    ];
  });
}

function bars(placed: readonly Placed[], slot: number): string[] {
  const width = Math.min(44, slot * 0.68);
  return placed.map(({ x, y, tone }) => {
    const top = Math.min(y, PLOT.bottom - 2);
    const size = `width="${width.toFixed(1)}" height="${(PLOT.bottom - top).toFixed(1)}"`;
    return `<rect x="${(x - width / 2).toFixed(1)}" y="${top.toFixed(1)}" ${size} rx="2" fill="${MARKS[tone].colour}"/>`;
  });
}

function polyline(placed: readonly Placed[]): string {
  const path = placed.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return `<polyline points="${path}" fill="none" stroke="${MARKS.info.colour}" stroke-opacity="0.5" stroke-width="2"/>`;
}

/** As many as fit, counted from the newest, which is the one that people look for. */
function labels(placed: readonly Placed[], slot: number): string[] {
  const longest = placed.reduce((most, { label }) => Math.max(most, cut(label, LABEL_LENGTH).length), 1);
  const every = Math.ceil((longest * LABEL_WIDTH + 8) / slot);
  return placed
    .filter((_, index) => (placed.length - 1 - index) % every === 0)
    .map(({ x, label }) => {
      const half = (cut(label, LABEL_LENGTH).length * LABEL_WIDTH) / 2;
      const inside = Math.min(x, WIDTH - 4 - half);
      return text(inside, PLOT.bottom + 18, cut(label, LABEL_LENGTH), `text-anchor="middle" fill="${QUIET}"`);
    });
}

/** The newest value, in numbers; on a white rim, where it meets a neighbour's sign. */
function newest(unit: Chart["unit"], last: Placed | undefined, radius: number): string[] {
  if (last === undefined) return [];
  const label = valueLabel(unit, last.value);
  const x = Math.min(last.x, PLOT.right - (label.length * LABEL_WIDTH) / 2);
  const y = last.y - (unit === "ms" ? 2 * radius + 9 : radius + 6);
  const rim = 'stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"';
  return [text(x, y, label, `text-anchor="middle" font-weight="bold" fill="${INK}" ${rim}`)];
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${xmlText(content)}</text>`;
}

function cut(content: string, length: number): string {
  const characters = [...content];
  return characters.length <= length ? content : `${characters.slice(0, length - 1).join("")}…`;
}

/** XML 1.0 has no place for most control characters, not even escaped, nor for half a surrogate pair. */
function xmlText(content: string): string {
  return content
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
