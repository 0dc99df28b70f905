/** The one stylesheet: design tokens, light and dark, system fonts, state colours only for state. Areas add their own rules. */
import { BUILD_STYLE } from "./build/style.ts";
import { HOME_STYLE } from "./home/style.ts";
import { PICTURES_STYLE } from "./pictures.tsx";
import { PROJECT_STYLE } from "./projects/style.ts";
import { RELEASE_STYLE } from "./releases/style.ts";
import { TRENDS_STYLE } from "./trends/style.ts";
import { WATERFALL_STYLE } from "./waterfall/style.ts";

/** The colours of states are those of the charts (charts/marks.ts), at least 4.5:1 on the page in either scheme. */
const TOKENS = `
:root {
  color-scheme: light dark;
  --ink: #1c1e21; --quiet: #5c6470; --paper: #ffffff; --raised: #f6f7f9; --line: #dfe3e8; --accent: #0b57a4; --accent-ink: #ffffff;
  --passed: #1a7337; --failed: #b3261e; --errored: #7f5600; --cancelled: #5c6470; --running: #0b57a4; --queued: #0b6b75;
  --passed-soft: #e3f4e8; --failed-soft: #fbe7e5; --errored-soft: #f8eed8; --cancelled-soft: #eceef1; --running-soft: #e2eefb; --queued-soft: #e0f2f4;
  --text: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --code: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --gap: 1rem; --radius: 6px; --wide: 76rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4e6ea; --quiet: #9aa3af; --paper: #14161a; --raised: #1c1f24; --line: #31363e; --accent: #7db7f5; --accent-ink: #10131a;
    --passed: #6fcf8a; --failed: #ff8f85; --errored: #e6b450; --cancelled: #9aa3af; --running: #7db7f5; --queued: #6fd0da;
    --passed-soft: #17301f; --failed-soft: #3a1d1b; --errored-soft: #352a13; --cancelled-soft: #262a31; --running-soft: #172a40; --queued-soft: #12303a;
  }
}
`;

const BASE = `
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 var(--text); color: var(--ink); background: var(--paper); }
main, .bar, footer { max-width: var(--wide); margin: 0 auto; padding: 0.75rem var(--gap); }
main { overflow-wrap: anywhere; padding-bottom: 3rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0.75rem 0 1rem; font-weight: 600; }
h2 { font-size: 1.05rem; margin: 2rem 0 0.5rem; font-weight: 600; }
h3 { font-size: 0.95rem; margin: 1rem 0 0.25rem; font-weight: 600; }
p { margin: 0.5rem 0; }
a { color: var(--accent); text-underline-offset: 0.15em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 0.5rem; top: 0.5rem; background: var(--paper); padding: 0.5rem; z-index: 9; }
.bar { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: baseline; border-bottom: 1px solid var(--line); }
.bar nav, footer nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; }
.bar a { color: var(--ink); text-decoration: none; padding: 0.15rem 0; border-bottom: 2px solid transparent; }
.bar a:hover { border-bottom-color: var(--line); } .bar a[aria-current] { border-bottom-color: var(--accent); }
.bar .home { font-weight: 650; } .bar .going-on { margin-left: auto; display: flex; gap: 1rem; font-size: 0.9rem; }
footer { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; justify-content: space-between; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.875rem; }
footer a { color: var(--quiet); } footer a[aria-current] { color: var(--ink); }
.quiet { color: var(--quiet); } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre, kbd, .code { font-family: var(--code); font-size: 0.8125rem; }
pre { overflow-x: auto; padding: 0.75rem; background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius); line-height: 1.45; overflow-wrap: normal; margin: 0.5rem 0; }
.scroll { overflow-x: auto; overflow-wrap: break-word; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.progress { display: inline-flex; flex-wrap: wrap; gap: 0 0.5rem; align-items: center; font-variant-numeric: tabular-nums; }
progress { appearance: none; width: 8rem; height: 0.5rem; border: 0; border-radius: 0.25rem; overflow: hidden; background: var(--running-soft); }
progress::-webkit-progress-bar { background: var(--running-soft); } progress::-webkit-progress-value { background: var(--running); } progress::-moz-progress-bar { background: var(--running); }
.sparkline { color: var(--accent); vertical-align: middle; overflow: visible; }
table { border-collapse: collapse; width: 100%; }
time, .whole { white-space: nowrap; }
th, td { text-align: left; padding: 0.35rem 1rem 0.35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-weight: 500; font-size: 0.875rem; } th.number, td.number { text-align: right; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0; } dt { color: var(--quiet); } dd { margin: 0; min-width: 0; }
.state { white-space: nowrap; font-weight: 550; }
.passed { color: var(--passed); } .failed { color: var(--failed); } .errored { color: var(--errored); }
.cancelled { color: var(--cancelled); } .running { color: var(--running); } .queued { color: var(--queued); }
button, .button { font: inherit; padding: 0.3rem 0.8rem; border: 1px solid var(--line); border-radius: var(--radius); background: var(--raised); color: var(--ink); cursor: pointer; text-decoration: none; display: inline-block; }
button:hover, .button:hover { border-color: var(--quiet); } button.main { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); } button.danger { color: var(--failed); }
input, select { font: inherit; padding: 0.3rem 0.5rem; border: 1px solid var(--quiet); border-radius: var(--radius); background: var(--paper); color: var(--ink); max-width: 100%; }
:is(input:not([type=checkbox]), select) { min-height: 2.1rem; }
label { color: var(--quiet); font-size: 0.875rem; }
form.row { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: end; } form.row > label { display: grid; grid-template-columns: minmax(0, auto); gap: 0.1rem; min-width: 0; max-width: min(100%, 24rem); } form.row select { text-overflow: ellipsis; }
@media (max-width: 40rem) {
  .bar .going-on { margin: 0 auto 0 0; } dl { grid-template-columns: 1fr; gap: 0; } dt { margin-top: 0.5rem; }
  th, td { padding-right: 0.6rem; }
  table.stack, table.stack :is(caption, tbody) { display: block; } table.stack thead { position: absolute; clip-path: inset(50%); } table.stack tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
  table.stack td, table.stack tbody th { border: 0; padding: 0.1rem 0; min-width: 0; max-width: 100%; overflow-wrap: anywhere; } table.stack .number:not(:first-child) { margin-left: auto; } table.stack [data-label]::before { content: attr(data-label) " "; color: var(--quiet); } table.stack .lead { flex-basis: 100%; } table.stack .wide { flex-basis: 100%; order: 1; } table.stack :is(td, tbody th):empty { display: none; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`;

export const STYLE = [
  TOKENS,
  BASE,
  HOME_STYLE,
  PROJECT_STYLE,
  TRENDS_STYLE,
  WATERFALL_STYLE,
  BUILD_STYLE,
  PICTURES_STYLE,
  RELEASE_STYLE,
].join("");
