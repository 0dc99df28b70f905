/** The page of a release. */
export const RELEASE_STYLE = `
.decide { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; align-items: end; margin: 1.25rem 0; padding: 0.75rem 1rem; border: 1px solid var(--line); border-left: 4px solid var(--queued); border-radius: var(--radius); background: var(--raised); }
.decide p { margin: 0; }
form.row > label.check { display: flex; gap: 0.35rem; align-items: center; padding-bottom: 0.4rem; }
.publish-steps li, .commits li { padding: 0.1rem 0; }
.publish-steps strong { display: inline-block; min-width: 6.25rem; font-weight: 550; } .publish-steps .state { display: inline-block; min-width: 6rem; }
`;
