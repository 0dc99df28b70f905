/** Charts: uPlot's own rules, and what makes them fit the page. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** The folder of uPlot's built files. */
export const UPLOT_FOLDER = join(createRequire(import.meta.url).resolve("uplot"), "..");

export const TRENDS_STYLE = `
${readFileSync(join(UPLOT_FOLDER, "uPlot.min.css"), "utf8")}
.trends { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 1.5rem; }
.trends figure { margin: 0; min-width: 0; } figcaption { font-size: 0.875rem; }
.chart { min-height: 1.5rem; margin-top: 0.25rem; cursor: pointer; } .chart .uplot { font-family: var(--text); }
.chart .u-legend { font-size: 0.8125rem; color: var(--quiet); } .chart .u-legend th, .chart .u-legend td { border: 0; padding: 0 0.3rem; }
details > summary { cursor: pointer; color: var(--quiet); font-size: 0.875rem; margin: 0.5rem 0; }
`;
