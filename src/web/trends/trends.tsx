/** How long builds took, what they covered and how many tests passed: as lines, which a script makes charts of, and as a table. */
import { formatCount, formatDuration } from "../../units.ts";
import { Sparkline } from "./sparkline.tsx";
import type { TrendPoint } from "./trend.ts";

interface Column {
  readonly name: "durationMs" | "coverage" | "passRate";
  readonly label: string;
  readonly unit: "ms" | "percent";
}

const COLUMNS: readonly Column[] = [
  { name: "durationMs", label: "Time", unit: "ms" },
  { name: "coverage", label: "Coverage", unit: "percent" },
  { name: "passRate", label: "Tests passed", unit: "percent" },
];

/** @param points oldest first. Nothing for fewer than two, which are no trend. */
export const Trends = ({ points }: { points: readonly TrendPoint[] }) => {
  if (points.length < 2) return null;
  const columns = COLUMNS.filter(({ name }) => points.filter((point) => point[name] !== undefined).length > 1);
  return (
    <section aria-labelledby="trends">
      <h2 id="trends">Trends</h2>
      <div class="trends">
        {columns.map((column) => (
          <Figure column={column} points={points} />
        ))}
      </div>
      <details>
        <summary>The same as a table</summary>
        <div class="scroll">
          <table id="trend-numbers">
            <thead>
              <tr>
                <th scope="col">Build</th>
                {columns.map(({ label }) => (
                  <th scope="col" class="number">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {points.toReversed().map((point) => (
                <Row point={point} columns={columns} />
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
};

const Figure = ({ column: { name, label, unit }, points }: { column: Column; points: readonly TrendPoint[] }) => {
  const values = points.flatMap((point) => point[name] ?? []);
  const newest = values.at(-1);
  return (
    <figure data-column={name} data-unit={unit} data-label={label}>
      <figcaption>
        {label} <strong>{newest === undefined ? "" : shown(unit, newest)}</strong>{" "}
        <span class="quiet">in {formatCount(values.length)} builds</span>
      </figcaption>
      <div class="chart" aria-hidden="true">
        <Sparkline values={values} label={label} />
      </div>
    </figure>
  );
};

const Row = ({ point, columns }: { point: TrendPoint; columns: readonly Column[] }) => (
  <tr>
    <td>
      <a href={`/builds/${point.build.number}`}>#{point.build.number}</a>
    </td>
    {columns.map(({ name, unit }) => {
      const value = point[name];
      return (
        <td class="number" data-column={name} data-value={value}>
          {value === undefined ? "" : shown(unit, value)}
        </td>
      );
    })}
  </tr>
);

/** What is not all is never rounded up to 100. */
function shown(unit: Column["unit"], value: number): string {
  if (unit === "ms") return formatDuration(value);
  return `${(value < 100 ? Math.min(value, 99.9) : value).toFixed(1)}%`;
}
