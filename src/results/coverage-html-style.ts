/** How the coverage pages look: as the site does (web/style.ts), within one file, since they are served without any rights. */
export const COVERAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --quiet: #5c6470; --line: #d9dde3; --accent: #0b57a4;
  --passed: #1a7337; --failed: #b3261e; --covered: #e7f5ec; --missed: #fdeceb; --target: #fff3c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --paper: #15171a; --quiet: #9aa3af; --line: #33383f; --accent: #7db7f5;
  --passed: #6fcf8a; --failed: #ff8f85; --covered: #15301f; --missed: #3d1d1b; --target: #4a4013; } }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header, main { max-width: 64rem; margin: 0 auto; padding: 0.75rem 1rem; }
header { border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0.5rem 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
p { margin: 0 0 1rem; } a { color: var(--accent); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.3rem 1rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-weight: 500; } th:first-child { width: 100%; } td:first-child { overflow-wrap: anywhere; min-width: 12rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.q { color: var(--quiet); }
.bar { display: inline-block; width: 8rem; height: 0.55rem; border-radius: 2px; background: var(--line); overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); }
@media (max-width: 40rem) { td:nth-child(2), th:nth-child(2) { display: none; } td:first-child { min-width: 6rem; }
  th, td { padding-right: 0.6rem; } th:last-child, td:last-child { padding-right: 0; } .n { white-space: normal; } }
.source { border: 1px solid var(--line); border-radius: 4px; padding: 0.5rem 0; overflow-x: auto; tab-size: 4;
  font: 0.8125rem/1.5 ui-monospace, monospace; }
.source div { width: max-content; min-width: 100%; }
.source p { margin: 0; white-space: pre; padding-right: 1rem; }
.source a, .source b { display: inline-block; width: 4.5em; padding-right: 1em; box-sizing: border-box; text-align: right;
  color: var(--quiet); font-weight: 400; text-decoration: none; user-select: none; }
.c { background: var(--covered); } .m { background: var(--missed); }
.source .m b { color: var(--failed); font-weight: 600; } .source p:target { background: var(--target); }
`;
