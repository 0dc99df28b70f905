/** A chart that fits in a line of text: `▃▃▄▄▅▅▅▆`. */

const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/**
 * One character a value, in their order; "" for none. A value that is no number is a gap (`·`).
 * @param from what the lowest bar stands for: 0 for amounts, so that twice as high means twice as much. Without it the values lie in
 * the middle of the scale, so that a small change does not look like a fall from the top to the bottom.
 */
export function sparkline(values: readonly number[], { from }: { from?: number } = {}): string {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return "·".repeat(values.length);
  const max = known.reduce((a, b) => Math.max(a, b));
  const min = known.reduce((a, b) => Math.min(a, b));
  const padding = (max - min) / 2;
  const low = from ?? min - padding;
  const high = from === undefined ? max + padding : max;
  return values.map((value) => (Number.isFinite(value) ? barOf(value, low, high) : "·")).join("");
}

function barOf(value: number, low: number, high: number): string {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  const index = Math.round(Math.min(1, Math.max(0, share)) * (BARS.length - 1));
  return BARS[index] ?? BARS[0];
}
