/** What a build of a pull request is given and called, and what it is compared with. O-47, O-55. */
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { type Build, type FinalState, isFinished } from "../../src/builds/build.ts";
import { createChanges } from "../../src/builds/changes.ts";
import { resultLine, revisionName } from "../../src/builds/describe.ts";
import { branchOf } from "../../src/builds/expected.ts";
import { grantedTo, inputsOf } from "../../src/builds/inputs.ts";
import { eventOf, isOfPullRequest, pullRequestNumber, unknownRef } from "../../src/builds/pull-request.ts";
import { reproCommands } from "../../src/builds/repro.ts";
import type { Project } from "../../src/config.ts";
import { UserError } from "../../src/errors.ts";
import { BuildNumber, GitRef, ProjectName } from "../../src/names.ts";
import { RecordedStep } from "../../src/pipeline/plan-record.ts";
import { totalsBefore } from "../../src/results/conclude.ts";
import type { Revisions } from "../../src/revisions.ts";
import { ADA, configOf, openRecords, revisionOf, revisions } from "../support/records.ts";

const PULL_REQUEST = revisionOf("3", {
  kind: "pull_request",
  ref: GitRef.parse("release/2"),
  pullRequest: { number: 12, base: revisionOf("0").sha },
});

function buildOf(changes: Partial<Build> = {}): Build {
  return {
    number: BuildNumber.parse(42),
    project: ProjectName.parse("docker"),
    ref: GitRef.parse("PR#12"),
    revision: PULL_REQUEST,
    requester: ADA,
    params: {},
    attempt: 1,
    requestedAt: "2026-03-01T12:00:00.000Z",
    state: { kind: "queued" },
    steps: [],
    ...changes,
  };
}

function projectOf(): Project {
  const config = configOf(
    "projects: { docker: { repo: /srv/docker, privileged: true, secrets: { TOKEN: hunter2-hunter2 } } }",
  );
  const [project] = [...config.projects.values()];
  if (project === undefined) throw new Error("there is one project");
  return project;
}

describe("a pull request", () => {
  test.each([
    ["PR#12", 12],
    ["pr#7", 7],
    ["PR#0", undefined],
    ["PR#12x", undefined],
    ["12", undefined],
    ["PR12", undefined],
  ])("%s is known by its number: %s", (ref, number) => {
    expect(pullRequestNumber(ref)).toBe(number);
  });

  test("is called by its number, its head and what it goes into", () => {
    expect(revisionName(buildOf())).toBe("PR#12 3333333 into release/2 0000000");
    expect(branchOf(buildOf())).toBe("PR#12");
    expect(unknownRef({ name: ProjectName.parse("docker") }, { ref: GitRef.parse("PR#99"), nearest: [] }, "")).toBe(
      "docker has no pull request 99.",
    );
  });

  test("that conflicts says so once", () => {
    const state: FinalState = {
      kind: "failed",
      startedAt: "2026-03-01T12:00:00.000Z",
      finishedAt: "2026-03-01T12:00:02.000Z",
      reason: "PR#12 conflicts with release/2 in a.go, b.go",
      conflicts: ["a.go", "b.go"],
    };
    const explanation = { kind: "git" as const, line: state.reason, excerpt: [], files: [], signature: "s" };
    const build = buildOf({ state, results: { explanation } });
    if (!isFinished(build)) throw new Error("it is over");
    expect(resultLine(build, "http://ci").facts.join(" · ")).toBe(
      "docker #42 failed in 2.0s · PR#12 3333333 into release/2 0000000 by bob · PR#12 conflicts with release/2 in a.go, b.go",
    );
  });

  test("is one whoever asked for it, also before its revision is known", () => {
    expect(eventOf(buildOf({ event: "chat" }))).toBe("pull_request");
    const { revision: _, ...unknown } = buildOf();
    expect([isOfPullRequest(unknown), isOfPullRequest({ ...unknown, ref: GitRef.parse("main") })]).toEqual([
      true,
      false,
    ]);
  });

  test("is given its number and its target, caches of its own, and no secret", () => {
    const { env, secrets, cache } = inputsOf(buildOf(), PULL_REQUEST, projectOf(), "http://ci");
    expect(env).toMatchObject({
      DOCKER_CI_PR: "12",
      DOCKER_CI_BRANCH: "release/2",
      DOCKER_CI_REVISION: PULL_REQUEST.sha,
    });
    expect(secrets).toEqual({});
    expect(cache).toEqual({ write: "pull request 12", seedFrom: "branch release/2" });
    expect(grantedTo(buildOf(), projectOf()).privileged).toBe(true);
  });

  // O-171
  test("of an outsider keeps nothing, and is not privileged (O-56)", () => {
    const build = buildOf({ untrusted: true });
    expect(inputsOf(build, PULL_REQUEST, projectOf(), "http://ci").cache).toEqual({
      write: "build 42",
      seedFrom: "branch release/2",
      isOfBuild: true,
    });
    expect(grantedTo(build, projectOf()).privileged).toBe(false);
  });

  test("asked for by its number may be anybody's, unless whoever asks knows better; its rebuild is as it was", async () => {
    await using records = await openRecords();
    const { builds } = records;
    const asked = { project: ProjectName.parse("docker"), ref: GitRef.parse("PR#12"), requester: ADA };
    const build = await builds.request(asked);
    expect(build).toMatchObject({
      event: "pull_request",
      untrusted: true,
      revision: { ref: "main", pullRequest: { number: 12 } },
    });
    expect(await builds.rebuild(build.number, ADA, false)).toMatchObject({ event: "pull_request", untrusted: true });
    const known = await builds.request({ ...asked, revision: PULL_REQUEST, untrusted: false });
    expect(known).toMatchObject({ event: "pull_request", revision: { ref: "release/2" } });
    expect(known.untrusted).toBeUndefined();
    await expect(builds.request({ ...asked, ref: GitRef.parse("PR#99") })).rejects.toThrow(
      new UserError("docker has no pull request 99."),
    );
  });

  test("compares its coverage with what it was merged into, for which git is not asked", async () => {
    const totals = { covered: 6, total: 10, unit: "lines" } as const;
    const ofMain = buildOf({
      number: BuildNumber.parse(41),
      ref: GitRef.parse("release/2"),
      revision: revisionOf("0", { ref: GitRef.parse("release/2") }),
      state: { kind: "passed", startedAt: "2026-03-01T11:00:00.000Z", finishedAt: "2026-03-01T11:01:00.000Z" },
      results: { coverage: { totals, change: { kind: "missing" } } },
    });
    const deps = { history: async () => [ofMain], revisions, log: pino({ enabled: false }) };
    const ended = { build: buildOf(), project: projectOf() };
    expect(await totalsBefore(deps, ended, AbortSignal.timeout(5_000))).toEqual(totals);
  });

  test("is told by its own commits, whatever was built before it", async () => {
    await using records = await openRecords();
    const asked: string[][] = [];
    const revisions: Pick<Revisions, "between"> = {
      async between(repo, from, to) {
        asked.push([repo, from, to]);
        return [{ sha: to, author: "bob", title: "mine", files: [] }];
      },
    };
    const changes = createChanges({ ...records, revisions });
    const found = await changes(buildOf());
    expect(found).toMatchObject({ since: undefined, commits: [{ title: "mine" }] });
    expect(asked).toEqual([["/repositories/docker", revisionOf("0").sha, PULL_REQUEST.sha]]);
  });

  test("is repeated elsewhere as it was tested: merged", () => {
    const step = RecordedStep.parse({
      id: "tests",
      name: "tests",
      kind: "build",
      context: ".",
      dockerfile: "Dockerfile",
      args: {},
      needs: [],
    });
    const plan = { steps: [], isParallel: false, projectEnv: [], secrets: [] };
    const [fetch] = reproCommands(buildOf(), plan, step, { project: projectOf(), env: {} }).commands;
    expect(fetch).toContain(
      `git fetch --quiet origin ${PULL_REQUEST.sha} && git checkout --quiet --recurse-submodules --detach ${revisionOf("0").sha} && git -c user.name=docker-ci`,
    );
  });
});
