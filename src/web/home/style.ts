/** The first page: cards of projects. */
export const HOME_STYLE = `
.cards { list-style: none; margin: 1rem 0 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
.card { border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: var(--radius); padding: 0.75rem 1rem; min-width: 0; display: flex; flex-direction: column; gap: 0.4rem; }
.card.stands-passed { border-left-color: var(--passed); } .card.stands-failed { border-left-color: var(--failed); } .card.stands-errored { border-left-color: var(--errored); }
.card.stands-running { border-left-color: var(--running); } .card.stands-queued { border-left-color: var(--queued); } .card.stands-cancelled { border-left-color: var(--cancelled); }
.card h2 { margin: 0; display: flex; gap: 1rem; justify-content: space-between; align-items: baseline; font-size: 1.1rem; } .card h2 .state { font-size: 0.95rem; }
.card h2 a { color: var(--ink); text-decoration: none; } .card h2 a:hover { text-decoration: underline; }
.card p { margin: 0; } .card .failure { display: block; } .card .coverage { display: flex; gap: 0.6rem; align-items: center; flex-wrap: wrap; }
.strip { list-style: none; margin: 0.2rem 0 0; padding: 0; display: flex; gap: 2px; }
.cell { display: grid; place-items: center; width: 1.5rem; height: 1.5rem; border-radius: 4px; text-decoration: none; font-size: 0.8rem; line-height: 1; }
.cell.passed { background: var(--passed-soft); } .cell.failed { background: var(--failed-soft); } .cell.errored { background: var(--errored-soft); }
.cell.cancelled { background: var(--cancelled-soft); } .cell.running { background: var(--running-soft); } .cell.queued { background: var(--queued-soft); }
.cell:hover { outline: 1px solid currentColor; }
@media (max-width: 40rem) { .strip li:nth-last-child(n+13) { display: none; } }
`;
