/** The page of a project. */
export const PROJECT_STYLE = `
.pager { display: flex; gap: 1.25rem; margin: 0.75rem 0; }
.badge { display: flex; flex-wrap: wrap; gap: 0.4rem 0.75rem; align-items: center; } .badge code { user-select: all; background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius); padding: 0.2rem 0.5rem; }
tbody th { color: var(--ink); font-weight: 400; font-size: inherit; }
.pulls > ul { list-style: none; margin: 0.75rem 0; padding: 0; display: grid; gap: 0.75rem; } .pulls > ul > li { border: 1px solid var(--line); border-left: 4px solid var(--queued); border-radius: var(--radius); padding: 0.5rem 1rem 0.75rem; min-width: 0; }
.pulls h3 { margin-top: 0.25rem; } .pulls form { margin-top: 0.75rem; }
`;
