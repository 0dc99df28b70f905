/** A line that fits beside a number: how it came to it. */
const WIDTH = 120;
const HEIGHT = 24;
const EDGE = 3;
/** A change of less than this does not fill the height: a tenth of a percent is no mountain. */
const LEAST_RANGE = 2;

/** Nothing for fewer than two values. @param values percentages, oldest first. @param label what it says to those who do not see it. */
export const Sparkline = ({ values, label }: { values: readonly number[]; label: string }) => {
  if (values.length < 2) return null;
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const range = Math.max(high - low, LEAST_RANGE);
  const middle = (high + low) / 2;
  const points = values.map((value, index) => {
    const x = EDGE + (index / (values.length - 1)) * (WIDTH - 2 * EDGE);
    const y = HEIGHT / 2 - ((value - middle) / range) * (HEIGHT - 2 * EDGE);
    return [x.toFixed(1), y.toFixed(1)] as const;
  });
  const [x, y] = points.at(-1) ?? ["0", "0"];
  return (
    <svg
      class="sparkline"
      role="img"
      aria-label={label}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
    >
      <polyline
        points={points.map((point) => point.join(",")).join(" ")}
        fill="none"
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linejoin="round"
      />
      <circle cx={x} cy={y} r="2.5" fill="currentColor" />
    </svg>
  );
};
