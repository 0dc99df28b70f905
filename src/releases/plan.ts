/** The plan of a release: what would be published, from where to where, and what stands in its way, as things are at this moment. */
import { type Build, isFinished, isWhole } from "../builds/build.ts";
import type { Builds } from "../builds/builds.ts";
import { pullRequestNumber, unknownRef } from "../builds/pull-request.ts";
import type { Config, Project, ReleaseConfig } from "../config.ts";
import { ConfigError, describeError, RuntimeError, UserError } from "../errors.ts";
import type { GitRef, ProjectName, Sha } from "../names.ts";
import { cleanName } from "../results/clean-name.ts";
import { coveragePercent } from "../results/coverage.ts";
import { pathPattern } from "../results/path-pattern.ts";
import { type Revision, type Revisions, UnknownRefError } from "../revisions.ts";
import type { SigningKey } from "../signer.ts";
import { pipelineDigest } from "./digest.ts";
import { placeOf } from "./publish/layout.ts";
import { type ReleasePlan, releaseName, Version } from "./release.ts";
import type { ReleaseStore } from "./store.ts";
import { compareVersions, isSemver } from "./version.ts";
import { approversIn, listed, votesBesides } from "./votes.ts";

/** How long git, the bucket and the key are waited for together. */
const PATIENCE_MS = 30_000;
const COMMITS = 50;
/** A revision that is released was built not long ago. */
const BUILDS_LOOKED_AT = 200;
/** How far back a higher version is looked for, which a rollback left above `latest`. */
const RELEASES_LOOKED_AT = 50;

export interface PlanDeps {
  readonly config: Config;
  readonly store: ReleaseStore;
  readonly builds: Pick<Builds, "project" | "history">;
  /** Missing in a process that has no engine. */
  readonly revisions: Revisions | undefined;
  /** Undefined where none is configured. @throws RuntimeError for one that cannot be used. */
  keyOf(config: ReleaseConfig): Promise<Pick<SigningKey, "fingerprint"> | undefined>;
  /** What `latest` says; undefined where nothing was published. @throws RuntimeError for a bucket that does not answer. */
  readLatest(project: ProjectName): Promise<{ readonly version: Version } | undefined>;
  /** Whether the bucket may be written to. @throws RuntimeError with what is wrong. */
  probe?(config: ReleaseConfig): Promise<void>;
}

export interface PlanWish {
  readonly project: string;
  readonly version: string;
  readonly ref?: GitRef | undefined;
  readonly kind: "release" | "rollback";
  readonly force: boolean;
  /** Publishes without moving what says which version is the latest. */
  readonly noLatest?: boolean | undefined;
  /** Publishes whatever the tests say. */
  readonly skipTests?: boolean | undefined;
  /** The person's name in `people:`, who may not approve; undefined for anybody else. */
  readonly requester: string | undefined;
}

/** @throws UserError for what cannot be released, RuntimeError where git does not answer. */
export async function makePlan(deps: PlanDeps, wish: PlanWish): Promise<ReleasePlan> {
  const { config, store } = deps;
  const project = deps.builds.project(wish.project);
  const release = configured(config, project);
  const version = versionOf(wish);
  const warnings: string[] = [];
  const [{ version: previous, isKnown }, key] = await Promise.all([
    previousOf(deps, project.name, warnings),
    keyOf(deps, release, warnings),
  ]);
  // One that cannot be read is in trouble already.
  if (isKnown) await bucketOf(deps, release, warnings);
  const published = await store.published(project.name, version);
  if (wish.kind === "release") await checkVersion(deps, project.name, { ...wish, version, previous });
  if (wish.kind === "rollback" && published === undefined)
    throw new UserError(`${project.name} ${version} was not published from here, so nothing can go back to it.`);
  if (wish.kind === "rollback" && previous === version)
    throw new UserError(`${project.name} ${version} is the latest already.`);
  const votes = votesOf(config, release, { ...wish, name: project.name });
  const revision =
    wish.kind === "rollback" && published !== undefined
      ? { ...published.plan, sha: published.plan.sha }
      : named(await resolved(deps, project, wish.ref ?? project.branch));
  const isBeside = wish.kind === "release" && wish.noLatest === true;
  const base = isBeside
    ? (await versionsBefore(store, project.name, previous)).findLast((each) => compareVersions(each, version) < 0)
    : previous;
  const commits = await commitsSince(deps, project, { kind: wish.kind, sha: revision.sha, previous: base }, warnings);
  const build = await newestBuild(deps, project.name, release, revision.sha);
  const place = placeOf(release, project.name, version);
  const { pointers } = place;
  return {
    project: project.name,
    version,
    kind: wish.kind,
    ref: revision.ref,
    sha: revision.sha,
    title: cleanName(revision.title),
    author: cleanName(revision.author),
    pipeline: pipelineDigest(config, project.name) ?? "",
    target: place.target,
    ...(wish.kind === "release" ? smokeTestOf(release) : {}),
    ...(pointers === undefined || isBeside ? {} : { pointers: [...pointers] }),
    ...(isBeside ? { noLatest: true } : {}),
    ...(wish.kind === "release" && wish.skipTests === true ? { skipTests: true } : {}),
    ...(key === undefined ? {} : { key }),
    ...(previous === undefined ? {} : { previous }),
    ...commits,
    ...(build === undefined ? {} : { build }),
    ...votes,
    forced: wish.force,
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** What a plan says of the smoke test. */
export function smokeTestOf({ smokeTest }: Pick<ReleaseConfig, "smokeTest">): Pick<ReleasePlan, "smokeTest"> {
  return smokeTest.length === 0 ? {} : { smokeTest: smokeTest.map(({ name }) => name) };
}

/** What a name means now. @throws UserError when it means nothing any more. */
export async function resolved(
  { revisions, config }: Pick<PlanDeps, "revisions" | "config">,
  project: Project,
  ref: GitRef,
): Promise<Revision> {
  if (revisions === undefined)
    throw new UserError("this docker-ci has no engine to read the repository with; ask one that has.");
  if (pullRequestNumber(ref) !== undefined) throw new UserError("a pull request is not released; merge it first.");
  try {
    return await revisions.resolve(project.repo, ref, AbortSignal.timeout(PATIENCE_MS));
  } catch (error) {
    if (isTimeout(error)) throw new RuntimeError(`the repository of ${project.name} does not answer`, { cause: error });
    if (!(error instanceof UnknownRefError)) throw error;
    throw new UserError(unknownRef(project, error, config.url), { cause: error });
  }
}

/** What ended because `AbortSignal.timeout` did. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

function configured({ releases }: Config, { name }: Project): ReleaseConfig {
  const release = releases.get(name);
  if (release !== undefined) return release;
  throw new UserError(
    `${name} is not set up for releases: docker-ci.yml takes releases: { ${name}: { bucket: …, gpg_key: …, approvals: 2 } }.`,
  );
}

/** The date of a night is none: nights have a `latest` of their own. */
function versionOf({ version }: PlanWish): Version {
  const parsed = Version.safeParse(version);
  if (parsed.success && isSemver(parsed.data)) return parsed.data;
  throw new UserError(`"${cleanName(version).slice(0, 64)}" is no version such as 1.4.0 or 1.4.0-rc.1.`);
}

async function previousOf(
  deps: PlanDeps,
  project: ProjectName,
  warnings: string[],
): Promise<{ readonly version: Version | undefined; readonly isKnown: boolean }> {
  try {
    return { version: (await deps.readLatest(project))?.version, isKnown: true };
  } catch (error) {
    warnings.push(`what is published cannot be read: ${reasonOf(error)}`);
    const newest = (await deps.store.latest(RELEASES_LOOKED_AT, { project })).find(
      ({ state, origin }) => state.kind === "published" && origin === "person",
    );
    return { version: newest?.plan.version, isKnown: false };
  }
}

async function keyOf(deps: PlanDeps, release: ReleaseConfig, warnings: string[]): Promise<string | undefined> {
  try {
    const key = await deps.keyOf(release);
    if (key === undefined) warnings.push("no gpg_key is configured, so nothing will be signed");
    return key?.fingerprint;
  } catch (error) {
    warnings.push(`the key cannot be used: ${reasonOf(error)}`);
    return undefined;
  }
}

async function bucketOf(deps: PlanDeps, release: ReleaseConfig, warnings: string[]): Promise<void> {
  try {
    await deps.probe?.(release);
  } catch (error) {
    warnings.push(`the bucket cannot be written to: ${reasonOf(error)}`);
  }
}

/** Only what a port says of itself: anything else is ours, and goes on. */
function reasonOf(error: unknown): string {
  if (isTimeout(error)) return "no answer came in time";
  // A bucket that is another deployment's.
  if (error instanceof ConfigError) return cleanName(error.problems[0] ?? error.message);
  if (!(error instanceof RuntimeError)) throw error;
  return cleanName(describeError(error)).slice(0, 200);
}

async function checkVersion(
  { store, config }: PlanDeps,
  project: ProjectName,
  {
    version,
    previous,
    force,
    noLatest,
  }: Pick<PlanWish, "force" | "noLatest"> & { version: Version; previous: Version | undefined },
): Promise<void> {
  const before = await store.published(project, version);
  if (before !== undefined || previous === version) {
    const by = before === undefined ? "" : ` by ${releaseName(before)}`;
    throw new UserError(`${project} ${version} is published already${by}, and what was published never changes.`);
  }
  // Below the last is where the fix of an old branch belongs.
  if (force || noLatest === true) return;
  const highest = (await versionsBefore(store, project, previous)).at(-1);
  if (highest !== undefined && compareVersions(version, highest) <= 0)
    throw new UserError(
      `${project} ${highest} is published, and ${version} is not above it. ${config.prefix}release ${project} ${version} --force asks for it all the same, and takes one approval more; --no-latest publishes it and leaves latest where it is.`,
    );
}

/** Those that were published, the lowest first. */
async function versionsBefore(
  store: ReleaseStore,
  project: ProjectName,
  previous: Version | undefined,
): Promise<Version[]> {
  const past = await store.latest(RELEASES_LOOKED_AT, { project });
  const versions = past.filter(({ state, origin }) => state.kind === "published" && origin === "person");
  return [...(previous === undefined ? [] : [previous]), ...versions.map(({ plan }) => plan.version)].sort(
    compareVersions,
  );
}

/** @throws UserError where so many can never come together. */
function votesOf(
  config: Config,
  release: ReleaseConfig,
  { requester, force, skipTests, name }: PlanWish & { readonly name: ProjectName },
): Pick<ReleasePlan, "approvals" | "approvers"> {
  const approvals = release.approvals + votesBesides({ forced: force, skipTests });
  const all = approversIn(config).map((person) => person.name);
  const approvers = release.ownApproval ? all : all.filter((person) => person !== requester);
  if (approvers.length >= approvals) return { approvals, approvers };
  const who = approvers.length === 0 ? "nobody" : `only ${listed(approvers)}`;
  const own = approvers.length < all.length ? ", as who asks may not (own_approval)" : "";
  throw new UserError(
    `${name} takes ${approvals} ${approvals === 1 ? "approval" : "approvals"}, and ${who} could give one${own}: people: needs more with roles: [approver], or releases: fewer approvals.`,
  );
}

function named(revision: Revision) {
  const { ref, sha, title, author } = revision;
  return { ref, sha, title, author };
}

async function commitsSince(
  { store, revisions }: PlanDeps,
  project: Project,
  { kind, sha, previous }: { kind: ReleasePlan["kind"]; sha: Sha; previous: Version | undefined },
  warnings: string[],
): Promise<Pick<ReleasePlan, "commits" | "commitsCut" | "commitsSince">> {
  const before = previous === undefined ? undefined : await store.published(project.name, previous);
  if (before === undefined || previous === undefined || revisions === undefined) {
    if (previous !== undefined) warnings.push(`what changed since ${previous} is not known: it was not published here`);
    return { commits: [], commitsCut: false };
  }
  const [from, to] = kind === "release" ? [before.plan.sha, sha] : [sha, before.plan.sha];
  const found = from === to ? [] : await revisions.between(project.repo, from, to, AbortSignal.timeout(PATIENCE_MS));
  const commits = found
    .slice(0, COMMITS)
    .map((commit) => ({ sha: commit.sha, author: cleanName(commit.author), title: cleanName(commit.title) }));
  return { commits, commitsCut: found.length >= COMMITS, commitsSince: previous };
}

async function newestBuild(
  { builds }: PlanDeps,
  project: ProjectName,
  release: ReleaseConfig,
  sha: Sha,
): Promise<ReleasePlan["build"]> {
  const { builds: past } = await builds.history.page({ project, limit: BUILDS_LOOKED_AT });
  const build = past.find(
    (each) => each.revision?.sha === sha && isFinished(each) && isWhole(each) && each.untrusted !== true,
  );
  if (build === undefined) return undefined;
  const { tests, coverage } = build.results ?? {};
  const percent = coverage === undefined ? undefined : coveragePercent(coverage.totals);
  return {
    number: build.number,
    state: build.state.kind,
    ...(tests === undefined ? {} : { tests: tests.total }),
    ...(percent === undefined ? {} : { coverage: percent }),
    files: filesOf(build, release).length,
  };
}

/** The artifacts that `files:` names; all of them where it names none. */
export function filesOf({ results }: Pick<Build, "results">, { files }: Pick<ReleaseConfig, "files">) {
  const artifacts = results?.artifacts ?? [];
  if (files.length === 0) return artifacts;
  const patterns = files.flatMap(({ from }) => pathPattern(from, "/") ?? []);
  return artifacts.filter(({ path }) => patterns.some((pattern) => pattern.match(`/${path}`) !== undefined));
}
