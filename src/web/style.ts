/** The one stylesheet: system fonts, light and dark, state colours only for state. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --quiet: #5c6470; --line: #d9dde3; --accent: #0b57a4;
  --passed: #1a7337; --failed: #b3261e; --errored: #7f5600; --cancelled: #5c6470; --running: #0b57a4; --queued: #0b6b75; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --paper: #15171a; --quiet: #9aa3af; --line: #33383f; --accent: #7db7f5;
  --passed: #6fcf8a; --failed: #ff8f85; --errored: #e6b450; --cancelled: #9aa3af; --running: #7db7f5; --queued: #6fd0da; } }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header, main, footer { max-width: 64rem; margin: 0 auto; padding: 0.75rem 1rem; }
header { border-bottom: 1px solid var(--line); font-weight: 600; }
footer { color: var(--quiet); font-size: 0.875rem; }
h1 { font-size: 1.4rem; margin: 0.5rem 0 1rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
a { color: var(--accent); }
main { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; padding: 0.3rem 1rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.state { white-space: nowrap; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.875rem; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid var(--line); border-radius: 4px; line-height: 1.4; overflow-wrap: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0; } dt { color: var(--quiet); } dd { margin: 0; }
.passed { color: var(--passed); } .failed { color: var(--failed); } .errored { color: var(--errored); }
.cancelled { color: var(--cancelled); } .running { color: var(--running); } .queued { color: var(--queued); }
`;
