/** How the waterfall looks. A unit of time is `--unit` high; the policy of the site allows no style in the page itself. */
import { MOST_UNITS } from "./layout.ts";

const HEIGHTS = Array.from(
  { length: MOST_UNITS },
  (_, at) => `.u${at + 1} { height: ${((at + 1) * 0.5).toFixed(1)}rem; }`,
);

export const WATERFALL_STYLE = `
body:has(.waterfall) :is(main, .bar, footer) { max-width: 110rem; }
.filters { margin-bottom: 0.75rem; } .filters .check { display: flex; gap: 0.35rem; align-items: center; padding-bottom: 0.4rem; } .filters > a { padding-bottom: 0.35rem; }
.paging { display: flex; gap: 1.25rem; justify-content: flex-end; min-height: 1.5rem; } .paging a { text-decoration: none; }
.waterfall { width: auto; min-width: 100%; font-size: 0.8125rem; line-height: 1.35; border-collapse: separate; border-spacing: 0.35rem 0; }
.waterfall th, .waterfall td { border: 0; padding: 0; } .waterfall code { font-size: 0.75rem; }
.waterfall thead th { padding: 0.25rem 0; border-bottom: 1px solid var(--line); color: var(--ink); } .waterfall thead tr:first-child th:nth-child(-n+2) { color: var(--quiet); }
.waterfall thead a { color: inherit; } .waterfall .zone { display: block; font-size: 0.75rem; overflow-wrap: anywhere; }
.waterfall .time { font-weight: 400; font-variant-numeric: tabular-nums; white-space: nowrap; font-size: 0.75rem; border-top: 1px solid var(--line); padding-right: 0.5rem; }
.waterfall .time:has(.unseen) { border-top-color: transparent; } .waterfall .day { display: block; color: var(--ink); font-weight: 550; }
.waterfall thead tr:first-child th:first-child { width: 5.5rem; }
.waterfall .changes { width: 20rem; min-width: 11rem; max-width: 20rem; }
.change { display: block; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; color: var(--quiet); text-decoration: none; }
.change span { color: var(--ink); font-weight: 550; } .change:hover { text-decoration: underline; }
.waterfall td.block, .waterfall div.block { min-width: 7.75rem; max-width: 14rem; padding: 0.2rem 0.35rem; border: 1px solid var(--line); border-left: 3px solid currentColor; border-radius: 3px; overflow: hidden; }
.waterfall div.block { margin-bottom: 0.25rem; }
.block > a { color: var(--ink); font-weight: 600; text-decoration: none; } .block > a:hover { text-decoration: underline; }
.block .facts { display: block; color: var(--ink); overflow: hidden; text-overflow: ellipsis; } .block progress { width: 4.5rem; height: 0.6rem; vertical-align: baseline; }
.block progress, .block progress::-webkit-progress-bar { background: var(--paper); }
.is-passed { background: var(--passed-soft); color: var(--passed); } .is-failed { background: var(--failed-soft); color: var(--failed); }
.is-errored { background: var(--errored-soft); color: var(--errored); } .is-cancelled { background: var(--cancelled-soft); color: var(--cancelled); }
.is-running { background: var(--running-soft); color: var(--running); } .is-queued { background: var(--queued-soft); color: var(--queued); border-style: dashed; }
.waterfall tr.quiet td:last-child { color: var(--quiet); padding: 0.1rem 0.5rem; background: var(--raised); border-radius: 3px; }
.waterfall .narrow { display: none; }
${HEIGHTS.join(" ")}
@media (max-width: 40rem) {
  .waterfall, .waterfall tbody, .waterfall tr, .waterfall td { display: block; height: auto; }
  .waterfall thead, .waterfall .time, .waterfall td.changes, .waterfall td.idle { display: none; }
  .waterfall td.block, .waterfall div.block { max-width: none; margin: 0 0 0.4rem; } .waterfall .narrow { display: inline; } .waterfall .block .facts.narrow { display: block; }
  .waterfall tr.quiet td:last-child { margin-bottom: 0.4rem; } .filters > label:not(.check) { flex: 1 1 40%; min-width: 0; } .filters input:not([type]), .filters select { width: 100%; }
}
`;
