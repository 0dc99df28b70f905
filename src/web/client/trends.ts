/** Draws the trends of a project from the table of their numbers, in the place of the small lines that stand there without scripts. */
import uPlot from "./uplot.js";

const HEIGHT = 170;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Between two lines of the grid: what people count in. */
const TIME_STEPS: number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 6, 12, 24].map((count) => count * HOUR),
];
const PERCENT_STEPS: number[] = [0.5, 1, 2, 5, 10, 20, 25, 50];

interface Row {
  readonly label: string;
  readonly link: string;
  readonly values: ReadonlyMap<string, number>;
}

function readRows(table: HTMLTableElement): Row[] {
  return [...table.tBodies].flatMap((body) =>
    // The newest stands first in the table and last in a chart.
    [...body.rows].reverse().map((row) => {
      const link = row.querySelector("a");
      const cells = [...row.querySelectorAll<HTMLElement>("[data-column]")];
      const values = cells.flatMap(({ dataset }) =>
        dataset.value === undefined ? [] : [[dataset.column ?? "", Number(dataset.value)] as const],
      );
      return { label: link?.textContent?.trim() ?? "", link: link?.href ?? "", values: new Map(values) };
    }),
  );
}

/** `2m58s`, `61.9%`: as the table has it. */
function shown(unit: string | undefined, value: number): string {
  if (unit !== "ms") return `${Number(value.toFixed(1))}%`;
  if (value < MINUTE) return `${Math.round(value / SECOND)}s`;
  const [big, small] = value < HOUR ? [MINUTE, SECOND] : [HOUR, MINUTE];
  const rest = Math.round((value % big) / small);
  const unitName = big === MINUTE ? ["m", "s"] : ["h", "m"];
  return `${Math.floor(value / big)}${unitName[0]}${rest === 0 ? "" : `${String(rest).padStart(2, "0")}${unitName[1]}`}`;
}

function draw(figure: HTMLElement, rows: readonly Row[]): () => void {
  const { column = "", unit } = figure.dataset;
  const place = figure.querySelector<HTMLElement>(".chart");
  const points = rows.filter(({ values }) => values.has(column));
  if (place === null || points.length < 2) return () => undefined;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const accent = colour("--accent");
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const value = (_plot: uPlot, at: number | null): string => (at === null ? "" : shown(unit, at));
  const showNewest = (chart: uPlot): void => {
    // uPlot empties it first, in a microtask of its own.
    requestAnimationFrame(() => chart.setLegend({ idx: points.length - 1 }));
  };
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      padding: [10, 24, 0, 0],
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { markers: { show: false } },
      // Where nobody points at it, it says the newest.
      hooks: { ready: [(chart) => showNewest(chart)] },
      scales: {
        x: { time: false },
        y: { range: unit === "ms" ? (_plot, _low, high) => [0, high * 1.1] : percentRange },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 34,
          incrs: [1, 2, 5, 10, 20, 50],
          space: 60,
          values: (_plot, splits) => splits.map((at) => points[at]?.label ?? ""),
        },
        {
          ...axis,
          size: 58,
          space: 30,
          incrs: unit === "ms" ? TIME_STEPS : PERCENT_STEPS,
          values: (_plot, splits) => splits.map((at) => shown(unit, at)),
        },
      ],
      series: [
        { label: "Build", value: (_plot, at) => points[at ?? -1]?.label ?? "" },
        { label: figure.dataset.label ?? "", stroke: accent, width: 1.5, points: { size: 5, fill: accent }, value },
      ],
    },
    [points.map((_, index) => index), points.map(({ values }) => values.get(column) ?? null)],
  );
  plot.over.addEventListener("mouseleave", () => showNewest(plot));
  plot.over.addEventListener("click", () => {
    const point = points[plot.cursor.idx ?? -1];
    if (point !== undefined) location.href = point.link;
  });
  place.replaceChildren(plot.root);
  const fit = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
  fit.observe(place);
  return () => {
    fit.disconnect();
    plot.destroy();
  };
}

/** Some air around the values, and never more than there can be: a change of a tenth is news, but no mountain. */
function percentRange(_plot: uPlot, low: number, high: number): uPlot.Range.MinMax {
  const air = Math.max(0.5, (high - low) / 5);
  return [Math.max(0, low - air), Math.min(100, high + air)];
}

const table = document.querySelector<HTMLTableElement>("#trend-numbers");
if (table !== null) {
  const rows = readRows(table);
  const figures = [...document.querySelectorAll<HTMLElement>("figure[data-column]")];
  let drawn = figures.map((figure) => draw(figure, rows));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const undo of drawn) undo();
    drawn = figures.map((figure) => draw(figure, rows));
  });
}
