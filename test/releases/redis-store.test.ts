/** The records of releases, in a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { roomKey } from "../../src/chat/message.ts";
import { ProjectName } from "../../src/names.ts";
import { type OutboxEntry, outboxKey } from "../../src/queue/outbox-entry.ts";
import { createReleaseStore } from "../../src/releases/redis-store.ts";
import { Release, ReleaseNumber, ReleasePlan, type ReleaseState, Version } from "../../src/releases/release.ts";
import { ReleaseBusyError, type ReleaseStore } from "../../src/releases/store.ts";
import { ADA, NOW, revisionOf } from "../support/records.ts";
import { openRedis, type TestRedis } from "../support/redis.ts";

const DOCKER = ProjectName.parse("docker");
const WAITING = { kind: "waiting", expiresAt: "2026-03-02T12:00:00.000Z" } as const;
const PUBLISHED: ReleaseState = {
  kind: "published",
  startedAt: "2026-03-01T12:00:00.000Z",
  finishedAt: "2026-03-01T12:10:00.000Z",
  files: 3,
  bytes: 1024,
  sha256: "0".repeat(64),
  warnings: [],
};

function draft(version = "0.9.0", changes: Partial<Release> = {}): Omit<Release, "number" | "change"> {
  const {
    number: _number,
    change: _change,
    ...rest
  } = Release.parse({
    number: 1,
    change: 0,
    origin: "person",
    plan: ReleasePlan.parse({
      project: "docker",
      version,
      kind: "release",
      ref: "main",
      sha: revisionOf("0").sha,
      title: "Fix CloudFront origin path",
      author: "bob",
      pipeline: "p",
      target: "s3://get.docker.io/docker/0.9.0/",
      commits: [],
      commitsCut: false,
      approvals: 2,
      approvers: ["bob", "eve"],
      forced: false,
    }),
    digest: "d",
    requester: ADA,
    requestedAt: NOW.toISOString(),
    votes: [],
    state: WAITING,
    ...changes,
  });
  return rest;
}

function saying(text: string): OutboxEntry {
  return {
    id: text,
    at: NOW.toISOString(),
    outgoing: { room: ADA.room, reply: { lines: [{ tone: "info", facts: [text] }] }, priority: "notice" },
  };
}

const NOTHING = () => [];
let redis: TestRedis;
let store: ReleaseStore;

beforeAll(async () => {
  redis = await openRedis();
});
beforeEach(async () => {
  await redis.redis.commands.flushall();
  store = createReleaseStore(redis.redis.commands, redis.log);
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

async function said(): Promise<string[]> {
  const entries = await redis.redis.commands.lrange(outboxKey(ADA.room), 0, -1);
  return entries.map((json) => JSON.parse(json).id);
}

describe("the records of releases", () => {
  test("a release is numbered, and what is said of it is put up with it", async () => {
    const release = await store.create(draft(), undefined, (number) => [saying(`R${number} asked`)]);
    expect(release).toMatchObject({ number: 1, change: 0, state: { kind: "waiting" } });
    expect(await store.get(release.number)).toEqual(release);
    expect(await said(), roomKey(ADA.room)).toEqual(["R1 asked"]);
  });

  test("a request that is made again gets the same release and says nothing", async () => {
    const first = await store.create(draft(), "fake:1", (number) => [saying(`R${number} asked`)]);
    expect(await store.create(draft("0.9.1"), "fake:1", (number) => [saying(`R${number} asked`)])).toEqual(first);
    expect(await said()).toEqual(["R1 asked"]);
  });

  test("of two changes of one record only the first is made and said", async () => {
    const release = await store.create(draft(), undefined, NOTHING);
    const vote = { by: "bob", network: "libera", at: NOW.toISOString(), digest: "d" };
    const [one, other] = await Promise.all([
      store.change(release, { votes: [vote] }, [saying("bob")]),
      store.change(release, { state: { kind: "expired", finishedAt: NOW.toISOString() } }, [saying("expired")]),
    ]);
    expect(one).toMatchObject({ change: 1, votes: [vote] });
    expect(other).toBeUndefined();
    expect(await said()).toEqual(["bob"]);
    expect(await store.get(release.number)).toEqual(one);
  });

  test("a second release of a project is refused while the first is open, a night is not", async () => {
    const first = await store.create(draft(), undefined, NOTHING);
    const again = store.create(draft("0.9.1"), undefined, NOTHING);
    await expect(again).rejects.toThrow(ReleaseBusyError);
    await expect(again).rejects.toMatchObject({ number: 1, release: first });
    const publishing = { kind: "publishing", startedAt: NOW.toISOString(), step: "check" } as const;
    const night = await store.create(draft("2026-03-01", { origin: "nightly", state: publishing }), undefined, NOTHING);
    expect((await store.open()).map(({ number }) => number)).toEqual([first.number, night.number]);
    expect(await store.underWay(DOCKER)).toEqual(first);
    await store.change(first, { state: { kind: "rejected", finishedAt: NOW.toISOString(), by: "bob" } });
    await store.change(night, { state: PUBLISHED });
    expect(await store.open()).toEqual([]);
    expect(await store.underWay(DOCKER)).toBeUndefined();
    expect((await store.create(draft("0.9.1"), undefined, NOTHING)).plan.version).toBe("0.9.1");
  });

  test("what was published is found by its version; a rollback to it does not take its place", async () => {
    const release = await store.create(draft(), undefined, NOTHING);
    await store.change(release, { state: PUBLISHED });
    const plan = { ...draft().plan, kind: "rollback" } as const;
    const rollback = await store.create({ ...draft(), plan }, undefined, NOTHING);
    await store.change(rollback, { state: PUBLISHED });
    expect((await store.published(DOCKER, Version.parse("0.9.0")))?.number).toBe(release.number);
    expect(await store.published(DOCKER, Version.parse("0.9.1"))).toBeUndefined();
  });

  test("the newest come first, of one project or of all", async () => {
    for (const version of ["0.1.0", "0.2.0", "0.3.0"]) {
      const release = await store.create(draft(version), undefined, NOTHING);
      await store.change(release, { state: PUBLISHED });
    }
    const numbers = async (...given: Parameters<ReleaseStore["latest"]>) =>
      (await store.latest(...given)).map(({ number }) => number);
    expect(await numbers(2)).toEqual([3, 2]);
    expect(await numbers(2, { before: ReleaseNumber.parse(2) })).toEqual([1]);
    expect(await numbers(9, { project: ProjectName.parse("hello") })).toEqual([]);
    expect(await numbers(9, { project: DOCKER })).toEqual([3, 2, 1]);
  });

  test("a record that cannot be read hides no other", async () => {
    await store.create(draft(), undefined, NOTHING);
    await redis.redis.commands.hset("docker-ci:release:1", "json", "{}");
    expect(await store.latest(9)).toEqual([]);
    expect(await store.get(ReleaseNumber.parse(1))).toBeUndefined();
  });
});
