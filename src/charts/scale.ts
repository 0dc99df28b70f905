/** The numbers beside a chart: how far the scale goes, where its lines are, and what stands there. */
import type { Chart } from "../chat/reply.ts";
import { formatDuration } from "../units.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps between two lines that people count in. */
const DURATION_STEPS: readonly number[] = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
];
const PERCENT_STEPS: readonly number[] = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25];
const LINES = 4;

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/**
 * Times begin at zero, so that a bar twice as high is twice as long; percentages show the part of 0 to 100 that the values are in,
 * because a change of a tenth is news.
 */
export function scaleOf({ unit, points }: Chart): Scale {
  const values = points.map(({ value }) => Math.max(0, value));
  const max = values.reduce((a, b) => Math.max(a, b), 0);
  const min = unit === "ms" ? 0 : values.reduce((a, b) => Math.min(a, b), max);
  const step = unit === "ms" ? stepOf(max, DURATION_STEPS, DAY) : stepOf(Math.max(max - min, 1), PERCENT_STEPS, 25);
  const below = Math.floor(min / step) * step;
  const low = unit === "ms" ? below : Math.min(below, 100 - step);
  const top = Math.max(Math.ceil(max / step), Math.round(low / step) + 1) * step;
  const high = unit === "ms" ? top : Math.min(100, top);
  const count = Math.round((high - low) / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => {
    const value = low + index * step;
    return { value, label: unit === "ms" ? timeLabel(value) : `${Number(value.toFixed(1))}%` };
  });
  return { low, high, ticks };
}

/** A value as it is written at its bar. */
export function valueLabel(unit: Chart["unit"], value: number): string {
  return unit === "ms" ? formatDuration(value) : `${value.toFixed(1)}%`;
}

function stepOf(range: number, steps: readonly number[], unit: number): number {
  return steps.find((step) => range / step <= LINES) ?? Math.ceil(range / LINES / unit) * unit;
}

/** `0`, `30s`, `2m`, `2m30s`, `1h`. */
function timeLabel(ms: number): string {
  if (ms === 0) return "0";
  return formatDuration(ms).replace(/\.0s$/, "s").replace(/m00s$/, "m").replace(/h00m$/, "h").replace(/d00h$/, "d");
}
