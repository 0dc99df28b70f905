/** What of the past is looked at: read from the address, where it is kept, and chosen in a form. */
import { z } from "zod";
import type { Recent } from "../../builds/history.ts";
import { BuildNumber, ProjectName } from "../../names.ts";

const text = z.string().trim().min(1).max(255);

/** As the address says it. What is none of this is as if it were not there. */
export interface Chosen {
  /** As it was written; there may be no such project. */
  readonly project: string | undefined;
  readonly branch: string | undefined;
  readonly person: string | undefined;
  readonly onlyFailures: boolean;
  readonly before: BuildNumber | undefined;
  readonly after: BuildNumber | undefined;
}

/** O-80: also in the words of Buildbot's waterfall, for links from before. */
export function readChosen(query: Readonly<Record<string, string>>): Chosen {
  const value = (...names: readonly string[]): string | undefined =>
    names.map((name) => text.safeParse(query[name]).data).find((found) => found !== undefined);
  const failures = value("failures", "failures_only");
  return {
    project: value("project", "builder", "show"),
    branch: value("branch"),
    person: value("person", "committer"),
    onlyFailures: failures === "only" || failures === "true" || failures === "1",
    before: BuildNumber.safeParse(query.before).data,
    after: BuildNumber.safeParse(query.after).data,
  };
}

/** `/waterfall?project=docker&failures=only`: the one address of what was chosen. */
export function addressOf(chosen: Chosen): string {
  const { project, branch, person, onlyFailures, before, after } = chosen;
  const named = { project, branch, person, failures: onlyFailures ? "only" : undefined, before, after };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(named)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? "/waterfall" : `/waterfall?${query}`;
}

export function isFiltered({ project, branch, person, onlyFailures }: Chosen): boolean {
  return project !== undefined || branch !== undefined || person !== undefined || onlyFailures;
}

interface FormProps {
  readonly chosen: Chosen;
  readonly projects: readonly string[];
  readonly branches: readonly string[];
  readonly people: readonly Recent[];
}

export const FilterForm = ({ chosen, projects, branches, people }: FormProps) => (
  <form method="get" action="/waterfall" class="row filters" aria-label="Filters">
    <label>
      project
      <select name="project">
        <option value="">all</option>
        {projects.map((name) => (
          <option value={name} selected={name === chosen.project}>
            {name}
          </option>
        ))}
      </select>
    </label>
    <label>
      branch
      <input name="branch" list="branches" value={chosen.branch ?? ""} placeholder="all" autocomplete="off" size={14} />
    </label>
    <label>
      person
      <input
        name="person"
        list="people"
        value={chosen.person ?? ""}
        placeholder="anyone"
        autocomplete="off"
        size={14}
      />
    </label>
    <label class="check">
      <input type="checkbox" name="failures" value="only" checked={chosen.onlyFailures} /> only failures
    </label>
    <button type="submit">Show</button>
    {isFiltered(chosen) ? <a href="/waterfall">Show all</a> : null}
    <datalist id="branches">
      {branches.map((name) => (
        <option value={name} />
      ))}
    </datalist>
    <datalist id="people">
      {people.map(({ name }) => (
        <option value={name} />
      ))}
    </datalist>
  </form>
);

interface PagingProps {
  readonly chosen: Chosen;
  readonly newer: BuildNumber | undefined;
  readonly older: BuildNumber | undefined;
  /** What it is called, where there are two of them. */
  readonly label: string;
}

export const Paging = ({ chosen, newer, older, label }: PagingProps) => {
  if (newer === undefined && older === undefined) return null;
  const at = (cursor: Partial<Pick<Chosen, "before" | "after">>): string =>
    addressOf({ ...chosen, before: undefined, after: undefined, ...cursor });
  return (
    <nav class="paging" aria-label={label}>
      {newer === undefined ? null : (
        <>
          <a href={at({})}>newest</a>
          <a href={at({ after: newer })} rel="prev">
            <span aria-hidden="true">▲</span> newer
          </a>
        </>
      )}
      {older === undefined ? null : (
        <a href={at({ before: older })} rel="next">
          <span aria-hidden="true">▼</span> older
        </a>
      )}
    </nav>
  );
};

/** Undefined for a name that no project can have. */
export function projectName(name: string | undefined): ProjectName | undefined {
  return ProjectName.safeParse(name).data;
}
