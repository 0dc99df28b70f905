/** The past by project, branch, person and failure, a page at a time; and records from before that could be asked for. */
import { describe, expect, test } from "vitest";
import type { Build, FinalState } from "../../src/builds/build.ts";
import { FILLED, fillHistory, startFilling } from "../../src/builds/fill-history.ts";
import type { HistoryPage, HistoryQuery } from "../../src/builds/history.ts";
import { createBuildStore } from "../../src/builds/store.ts";
import { BuildNumber, GitRef, ProjectName } from "../../src/names.ts";
import { ADA, ago, openRecords, type Records, revisionOf } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";

const HELLO = ProjectName.parse("hello");
const DOCKER = ProjectName.parse("docker");
const PASSED: FinalState = { kind: "passed", startedAt: ago(60), finishedAt: ago(0) };
const FAILED: FinalState = { kind: "failed", startedAt: ago(60), finishedAt: ago(0), reason: "step tests, exit 1" };
const ERRORED: FinalState = { kind: "errored", finishedAt: ago(0), reason: "no space left", tries: 2 };
const CANCELLED: FinalState = { kind: "cancelled", finishedAt: ago(0), by: "ada" };

const numbers = ({ builds }: HistoryPage): number[] => builds.map(({ number }) => number);

interface Past {
  readonly project?: string;
  readonly branch?: string;
  readonly kind?: "branch" | "tag" | "commit";
  readonly asked?: string;
  readonly author?: string;
  readonly end?: FinalState;
}

async function happened(records: Records, past: readonly Past[]): Promise<void> {
  for (const {
    project = "hello",
    branch = "main",
    kind = "branch",
    asked = "ada",
    author = "bob",
    end = PASSED,
  } of past) {
    const ref = GitRef.parse(branch);
    const revision = revisionOf("0", { ref, kind, author });
    const build = await records.create(project, { ref, revision, requester: { ...ADA, name: asked } });
    await records.end(await records.begin(build), end);
  }
}

/** One of each kind; numbered from 1 as they stand here. */
const PAST: readonly Past[] = [
  { branch: "main", end: FAILED },
  { branch: "release", author: "Eve" },
  { project: "docker", asked: "eve" },
  { project: "docker", branch: "release", asked: "dan", end: ERRORED },
  { project: "docker", branch: "v1.0", kind: "tag" },
  { branch: "0d6b721", kind: "commit", asked: "dan" },
  { end: CANCELLED },
  { asked: "dan", author: "dan", end: FAILED },
];

describe("looking through the past", () => {
  test.each<[filter: Omit<HistoryQuery, "limit">, expected: number[]]>([
    [{}, [8, 7, 6, 5, 4, 3, 2, 1]],
    [{ project: HELLO }, [8, 7, 6, 2, 1]],
    [{ branch: "release" }, [4, 2]],
    [{ project: HELLO, branch: "release" }, [2]],
    [{ project: DOCKER, branch: "v1.0" }, [5]],
    [{ branch: "0d6b721" }, []],
    [{ branch: "nosuch" }, []],
    [{ person: "eve" }, [3, 2]],
    [{ person: " EVE " }, [3, 2]],
    [{ person: "dan" }, [8, 6, 4]],
    [{ project: HELLO, person: "dan" }, [8, 6]],
    [{ project: DOCKER, branch: "release", person: "dan" }, [4]],
    [{ onlyFailures: true }, [8, 4, 1]],
    [{ onlyFailures: true, project: DOCKER }, [4]],
    [{ onlyFailures: true, branch: "main", person: "bob" }, [1]],
    [{ onlyFailures: true, person: "*" }, []],
  ])("%j", async (filter, expected) => {
    await using records = await openRecords();
    await happened(records, PAST);
    expect(numbers(await records.store.history.page({ ...filter, limit: 100 }))).toEqual(expected);
  });

  test("the branches of a project and the people, whoever came last first", async () => {
    await using records = await openRecords();
    await happened(records, PAST);
    expect(await records.store.history.branches(HELLO, 10)).toEqual([
      { name: "main", newest: 8 },
      { name: "release", newest: 2 },
    ]);
    expect((await records.store.history.branches(DOCKER, 1)).map(({ name }) => name)).toEqual(["release"]);
    expect((await records.store.history.people(10)).map(({ name }) => name)).toEqual([
      "dan",
      "bob",
      "ada",
      "eve",
      "Eve",
    ]);
  });

  test("pages go down to the oldest build and up again to the newest, each build on one of them", async () => {
    await using records = await openRecords();
    await happened(
      records,
      Array.from({ length: 7 }, () => ({})),
    );
    const page = (query: Partial<HistoryQuery>) => records.store.history.page({ project: HELLO, limit: 3, ...query });
    const first = await page({});
    expect([numbers(first), first.older, first.newer]).toEqual([[7, 6, 5], 5, undefined]);
    const second = await page({ before: first.older });
    expect([numbers(second), second.older, second.newer]).toEqual([[4, 3, 2], 2, 4]);
    const last = await page({ before: second.older });
    expect([numbers(last), last.older, last.newer]).toEqual([[1], undefined, 1]);
    const up = await page({ after: last.newer });
    expect([numbers(up), up.older, up.newer]).toEqual([[4, 3, 2], 2, 4]);
    // Fewer than a page are newer: it is the newest page, and whole.
    expect(await page({ after: BuildNumber.parse(6) })).toEqual(first);
    const beyond = await page({ before: BuildNumber.parse(1) });
    expect([numbers(beyond), beyond.older, beyond.newer]).toEqual([[], undefined, undefined]);
  });

  test("a build whose revision a worker finds out moves to the branch that it turned out to be", async () => {
    await using records = await openRecords();
    const { revision: _, ...draft } = await records.create("hello", { ref: GitRef.parse("refs/heads/main") });
    const build = await records.create("hello", draft);
    const bare: Build = { ...draft, number: build.number };
    await records.store.transition(bare, { kind: "running", startedAt: ago(9), worker: "big-1" }, { attempt: 1 });
    const running = await records.store.get(build.number);
    if (running === undefined) throw new Error("it was just written");
    await records.store.transition(running, running.state, { revision: revisionOf("1", { author: "dan" }) });
    expect(numbers(await records.store.history.page({ branch: "refs/heads/main", limit: 9 }))).toEqual([]);
    expect(numbers(await records.store.history.page({ branch: "main", person: "dan", limit: 9 }))).toEqual([2]);
  });
});

describe("records that are read often", () => {
  test("one that is over is not asked for again; one under way is, and shows what another process wrote", async () => {
    await using records = await openRecords();
    await happened(records, [{}]);
    const running = await records.begin(await records.create("hello"));
    const elsewhere = createBuildStore(records.redis.open());
    expect((await elsewhere.latest(2)).map(({ state }) => state.kind)).toEqual(["running", "passed"]);
    await records.end(running, FAILED);
    await records.redis.commands.del("docker-ci:build:1");
    expect((await elsewhere.latest(2)).map(({ state }) => state.kind)).toEqual(["failed", "passed"]);
  });

  test("what was kept goes when there is much of it, the longest unasked first", async () => {
    await using records = await openRecords();
    await happened(records, [{}]);
    const [one] = await records.store.latest(1);
    if (one === undefined) throw new Error("it was just written");
    const pipeline = records.redis.commands.pipeline();
    for (let number = 2; number <= 1_200; number += 1) {
      pipeline.hset(`docker-ci:build:${number}`, "json", JSON.stringify({ ...one, number }));
    }
    await pipeline.exec();
    await records.store.many(Array.from({ length: 1_199 }, (_, at) => String(at + 2)));
    await records.redis.commands.del("docker-ci:build:1", "docker-ci:build:1200");
    expect((await records.store.many(["1", "1200", "7777"])).map(({ number }) => number)).toEqual([1_200]);
  });
});

describe("records from before they could be looked through", () => {
  /** What was kept of the past then: the records, all of them in order, and in order of a project. */
  async function forget({ redis }: Records): Promise<void> {
    const keys = await redis.commands.keys("docker-ci:builds:*");
    const known = /:(next|finished|state:.*|project:.*)$/;
    const gone = keys.filter((key) => !known.test(key));
    if (gone.length > 0) await redis.commands.del(...gone);
  }

  test("are found in the background of a start", async () => {
    await using records = await openRecords();
    await happened(records, PAST);
    await forget(records);
    expect(numbers(await records.store.history.page({ person: "dan", limit: 9 }))).toEqual([]);
    await using _filling = startFilling(records.redis.commands, records.store, records.log);
    await waitFor("all to be done", async () => (await records.redis.commands.get(FILLED)) === "0");
    expect(numbers(await records.store.history.page({ person: "dan", limit: 9 }))).toEqual([8, 6, 4]);
    expect(numbers(await records.store.history.page({ onlyFailures: true, limit: 9 }))).toEqual([8, 4, 1]);
    expect(await records.store.history.branches(HELLO, 9)).toHaveLength(2);
  });

  test("a start that was stopped is gone on with by the next, and after that nothing is read again", async () => {
    await using records = await openRecords();
    await happened(
      records,
      Array.from({ length: 60 }, () => ({})),
    );
    await forget(records);
    const stopped = new AbortController();
    const { commands } = records.redis;
    const store = {
      ...records.store,
      many: async (asked: readonly string[]) => {
        stopped.abort();
        return records.store.many(asked);
      },
    };
    expect(await fillHistory(commands, store, stopped.signal)).toBe(50);
    expect(await records.store.history.page({ person: "ada", limit: 99 })).toMatchObject({ builds: { length: 50 } });
    expect(await fillHistory(commands, records.store, new AbortController().signal)).toBe(10);
    expect(await records.store.history.page({ person: "ada", limit: 99 })).toMatchObject({ builds: { length: 60 } });
    expect(await fillHistory(commands, records.store, new AbortController().signal)).toBe(0);
  });
});
