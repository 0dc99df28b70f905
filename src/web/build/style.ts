/** Rules of the pages of a build and of its log. */

/** The sixteen colours of a terminal, legible (4.5:1) on the log in either scheme. */
const ANSI_LIGHT = ["#1c1e21", "#b3261e", "#1a7337", "#7f5600", "#0b57a4", "#8a2f8f", "#0b6b75", "#5c6470"];
const ANSI_BRIGHT_LIGHT = ["#5c6470", "#b3261e", "#1a7337", "#7f5600", "#0b57a4", "#8a2f8f", "#0b6b75", "#1c1e21"];
const ANSI_DARK = ["#9aa3af", "#ff8f85", "#6fcf8a", "#e6b450", "#7db7f5", "#d79be0", "#6fd0da", "#d0d4da"];
const ANSI_BRIGHT_DARK = ["#9aa3af", "#ffb0a8", "#9be3b0", "#f4d38a", "#a9d0fa", "#e8c0ee", "#a0e3ea", "#ffffff"];

const colours = (normal: readonly string[], bright: readonly string[]): string =>
  [...normal, ...bright].map((colour, index) => `.a${index} { color: ${colour}; }`).join(" ");

const LIGHT = colours(ANSI_LIGHT, ANSI_BRIGHT_LIGHT);
const DARK = colours(ANSI_DARK, ANSI_BRIGHT_DARK);

export const BUILD_STYLE = `
.heading { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: baseline; justify-content: space-between; }
.heading h1 { margin-bottom: 0.5rem; } h1 .state { font-weight: 600; margin-left: 0.35rem; } .actions { display: flex; gap: 0.5rem; flex-wrap: wrap; }
.reason { font-weight: 550; }
.why { border-left: 3px solid var(--failed); padding: 0.25rem 0 0.25rem 1rem; margin: 1.25rem 0; } .why h2 { margin: 0 0 0.25rem; } .why .said { font-family: var(--code); font-size: 0.875rem; }
ul.plain { list-style: none; padding: 0; margin: 0.25rem 0; }
.steps th[scope=row], .lanes th[scope=row] { color: var(--ink); font-size: inherit; } caption { text-align: left; font-size: 0.875rem; padding: 0.75rem 0 0.25rem; }
details.failing { border-bottom: 1px solid var(--line); padding: 0.3rem 0; } details.failing summary { cursor: pointer; } details.failing pre { max-height: 24rem; overflow: auto; }
.pager { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.75rem 0; }
.log-line:target { background: var(--errored-soft); display: inline-block; min-width: 100%; } .log-lines a { display: inline-block; min-width: 4rem; text-align: right; margin-right: 0.75rem; color: var(--quiet); text-decoration: none; }
.log-head { display: flex; flex-wrap: wrap; gap: 0.4rem 0.6rem; align-items: center; margin: 0.5rem 0; font-size: 0.875rem; }
.log-head [hidden] { display: none; } .log-head form { display: flex; gap: 0.4rem; align-items: center; } .log-head input { width: 14rem; padding: 0.2rem 0.5rem; } .log-head button, .log-head select, .log-head .button { padding: 0.2rem 0.6rem; font-size: 0.875rem; }
.log-head button[aria-pressed=true] { border-color: var(--accent); color: var(--accent); } .log-head .found { white-space: nowrap; color: var(--quiet); font-variant-numeric: tabular-nums; } .log-head .right { margin-left: auto; }
.log-view { position: relative; height: 70vh; min-height: 10rem; overflow: auto; background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius); overflow-anchor: none; font: 0.8125rem/20px var(--code); contain: strict; }
.log-space { position: relative; min-width: 100%; width: max-content; } .log-rows { position: absolute; left: 0; top: 0; min-width: 100%; will-change: transform; }
.log-row { display: flex; height: 20px; white-space: pre; min-width: 100%; width: max-content; }
.log-row .no { flex: none; width: 4.5rem; padding-right: 0.75rem; text-align: right; color: var(--quiet); text-decoration: none; user-select: none; } .log-row .no:hover { text-decoration: underline; }
.log-row .fold { flex: none; width: 1.2rem; padding: 0; border: 0; background: none; font: inherit; line-height: 20px; color: var(--quiet); user-select: none; text-align: left; }
.log-row .text { padding-right: 1rem; tab-size: 4; } .log-row.header .text { font-weight: 600; } .log-row.chosen { background: var(--errored-soft); } .log-row.hit { background: var(--running-soft); } .log-row.chosen.hit, .log-row.hit.now { background: var(--errored-soft); }
.log-row mark { background: #ffd54a; color: #1c1e21; }
.b { font-weight: 700; } .d { opacity: 0.75; } .i { font-style: italic; } .u { text-decoration: underline; } .s { text-decoration: line-through; }
${LIGHT}
@media (prefers-color-scheme: dark) { ${DARK} }
@media (max-width: 40rem) { .log-row .no { width: 3.2rem; padding-right: 0.4rem; } .log-head form { flex-wrap: wrap; } .log-head input { width: 9rem; } .log-head .right { margin-left: 0; } .log-view { height: 60vh; } }
`;
