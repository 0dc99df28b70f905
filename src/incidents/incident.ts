/** A branch of a project that went from good to bad, until it is good again; and what a build that ended means for it. */
import { z } from "zod";
import type { FinishedBuild } from "../builds/build.ts";
import { BuildNumber, GitRef, ProjectName, Sha } from "../names.ts";
import type { Commit } from "../revisions.ts";

/** How many files of a commit are kept beside it. */
const SUSPECT_FILES_KEPT = 20;

/** Somebody whose commit came in between the last good build and the first bad one. */
export const Suspect = z.strictObject({
  sha: Sha,
  author: z.string(),
  title: z.string(),
  /** What it changed; missing in records from before it was kept. */
  files: z.array(z.string()).optional(),
});
export type Suspect = z.infer<typeof Suspect>;

/** A commit as an incident keeps it. */
export function suspectOf({ sha, author, title, files }: Commit): Suspect {
  return { sha, author, title, files: files.slice(0, SUSPECT_FILES_KEPT) };
}

const BuildMark = z.strictObject({ number: BuildNumber, sha: Sha });

export const Incident = z.strictObject({
  project: ProjectName,
  branch: GitRef,
  firstBad: BuildMark,
  lastGood: BuildMark.optional(),
  since: z.iso.datetime(),
  /** Builds that failed since, the first one counted. */
  badBuilds: z.number().int(),
  suspects: z.array(Suspect),
  claimedBy: z.string().optional(),
});
export type Incident = z.infer<typeof Incident>;

/** What is known of one branch of one project. */
export const BranchState = z.strictObject({
  /** The newest build that counted, so that an older one that ends later does not. */
  newest: BuildNumber.optional(),
  lastGood: BuildMark.optional(),
  /** The last build could not run, and that was told. */
  erroredSince: BuildNumber.optional(),
  incident: Incident.optional(),
});
export type BranchState = z.infer<typeof BranchState>;

/** What there is to tell of a build that ended. `broken` and `fixed` are edges; the others are told to who asked for all. */
export type News =
  | { readonly event: "broken"; readonly incident: Incident }
  | { readonly event: "fixed"; readonly incident: Incident }
  | { readonly event: "errored" }
  | { readonly event: "passed" | "failed" | "cancelled" };

export interface Verdict {
  readonly next: BranchState;
  readonly news: News;
}

/**
 * What a build that ended changes. Only builds of a branch make an incident; a first failure of a branch is one (it has no last
 * good build), and what the machinery broke says nothing about the branch.
 * @param at when it ended.
 */
export function judge(build: FinishedBuild, before: BranchState, at: Date): Verdict {
  const { state, revision } = build;
  const same: Verdict = { next: before, news: { event: plain(state.kind) } };
  if (revision?.kind !== "branch" || state.kind === "cancelled") return same;
  // Without its tests it is no good build.
  if (state.kind === "passed" && build.skipTests === true) return same;
  if (before.newest !== undefined && before.newest > build.number) return same;
  const mark = { number: build.number, sha: revision.sha };
  const { erroredSince: _, ...known } = before;

  if (state.kind === "errored") {
    const told = before.erroredSince !== undefined;
    const next = { ...before, newest: build.number, erroredSince: before.erroredSince ?? build.number };
    return { next, news: told ? { event: "failed" } : { event: "errored" } };
  }
  if (state.kind === "passed") {
    const { incident, ...calm } = known;
    const next = { ...calm, newest: build.number, lastGood: mark };
    return { next, news: incident === undefined ? { event: "passed" } : { event: "fixed", incident } };
  }
  if (before.incident !== undefined) {
    const incident = { ...before.incident, badBuilds: before.incident.badBuilds + 1 };
    return { next: { ...known, newest: build.number, incident }, news: { event: "failed" } };
  }
  const incident: Incident = {
    project: build.project,
    branch: revision.ref,
    firstBad: mark,
    ...(before.lastGood === undefined ? {} : { lastGood: before.lastGood }),
    since: at.toISOString(),
    badBuilds: 1,
    suspects: [],
  };
  return { next: { ...known, newest: build.number, incident }, news: { event: "broken", incident } };
}

function plain(kind: FinishedBuild["state"]["kind"]): "passed" | "failed" | "cancelled" {
  return kind === "errored" ? "failed" : kind;
}
