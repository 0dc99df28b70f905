/**
 * The ledger of tests that changed their mind at one revision, in Redis, for 90 days.
 *
 * Besides the events it keeps what the last 200 builds of a project came to, so that a test that fails in one build and passes in
 * another of the same revision is found without `retry_failed`. All writes are additions to sets: a build that is recorded twice, or by
 * two processes, is there once.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { StepResult } from "../builds/build.ts";
import type { Clock } from "../clock.ts";
import { RuntimeError } from "../errors.ts";
import type { ProjectName } from "../names.ts";
import { type TestName, testKey } from "../results/test-case.ts";
import { FlakyEvent, nameOf } from "./flaky-event.ts";
import { changesOfMind, type JudgedBuild, Outcome, outcomeOf, secondThoughts } from "./outcome.ts";
import { readRecord } from "./read-record.ts";

const KEPT_MS = 90 * 86_400_000;
const BUILDS_KEPT = 200;
/** Of a project. */
const EVENTS_KEPT = 5_000;
/** Of a project; those with the newest events. */
const TESTS_KEPT = 1_000;

/** By time. */
const events = (project: string): string => `docker-ci:flaky:events:${project}`;
/** `<number> <sha>`, by number. */
const builds = (project: string): string => `docker-ci:flaky:builds:${project}`;
const outcome = (number: number | string): string => `docker-ci:flaky:outcome:${number}`;

export type FlakyLedger = ReturnType<typeof createFlakyLedger>;

/** @param log told of a record that cannot be read. */
export function createFlakyLedger(redis: Redis, clock: Clock, log?: Logger) {
  async function outcomes(numbers: readonly string[]): Promise<Outcome[]> {
    if (numbers.length === 0) return [];
    const found = await redis.mget(numbers.map(outcome));
    return found.flatMap((json) => readRecord(Outcome, json, log));
  }

  async function add(project: ProjectName, found: readonly FlakyEvent[]): Promise<void> {
    if (found.length === 0) return;
    const key = events(project);
    const changes = redis.multi();
    for (const event of found) changes.zadd(key, Date.parse(event.at), JSON.stringify(FlakyEvent.parse(event)));
    changes.zremrangebyrank(key, 0, -EVENTS_KEPT - 1);
    changes.zremrangebyscore(key, "-inf", clock.now().getTime() - KEPT_MS);
    changes.pexpire(key, KEPT_MS);
    await all(changes.exec());
  }

  return {
    /**
     * Takes a finished build in; again is no harm.
     * @param steps with all failing tests where they are known.
     * @returns what it says of tests, and of tests in earlier builds of its revision.
     */
    async record(build: JudgedBuild, steps: readonly StepResult[]): Promise<readonly FlakyEvent[]> {
      const { project } = build;
      const mine = outcomeOf(build, steps);
      if (mine === undefined) return [];
      // First ours, then a look at the others: of two builds recorded at once at least one sees the other.
      await all(
        redis
          .multi()
          .set(outcome(mine.build), JSON.stringify(Outcome.parse(mine)), "PX", KEPT_MS)
          .zadd(builds(project), mine.build, `${mine.build} ${mine.sha}`)
          .zremrangebyrank(builds(project), 0, -BUILDS_KEPT - 1)
          .pexpire(builds(project), KEPT_MS)
          .exec(),
      );
      const known = (await redis.zrange(builds(project), "0", "-1")).map((entry) => entry.split(" "));
      const same = known.flatMap(([number = "", sha]) =>
        sha === mine.sha && number !== String(mine.build) ? [number] : [],
      );
      const compared = (await outcomes(same)).flatMap((other) => [
        ...changesOfMind(mine, other),
        ...changesOfMind(other, mine),
      ]);
      // One that two other builds contradict is still one.
      const found = [
        ...new Map([...secondThoughts(build, steps), ...compared].map((one) => [JSON.stringify(one), one])),
      ];
      const changes = found.map(([, event]) => event);
      await add(project, changes);
      return changes;
    },

    /** Oldest first, of the 1,000 tests with the newest ones. */
    async events(project: ProjectName, since: Date): Promise<FlakyEvent[]> {
      const found = (await redis.zrangebyscore(events(project), since.getTime(), "+inf")).flatMap((json) =>
        readRecord(FlakyEvent, json, log),
      );
      const kept = new Set<string>();
      return found
        .toReversed()
        .filter((event) => {
          const name = nameOf(event);
          if (kept.size < TESTS_KEPT) kept.add(name);
          return kept.has(name);
        })
        .toReversed();
    },

    /** The tests that are known to have failed in the last 200 builds, or to be flaky, each once. */
    async knownTests(project: ProjectName): Promise<TestName[]> {
      const numbers = (await redis.zrange(builds(project), "0", "-1")).map((entry) => entry.split(" ")[0] ?? "");
      const failed = (await outcomes(numbers)).flatMap(({ steps }) =>
        steps.flatMap(({ tests }) => tests?.failing ?? []),
      );
      const flaky = (await this.events(project, new Date(0))).flatMap(({ test }) => (test === undefined ? [] : [test]));
      return [...new Map([...failed, ...flaky].map((test) => [testKey(test), test])).values()];
    },
  };
}

/** @throws RuntimeError when Redis refused any part of a transaction. */
async function all(transaction: Promise<[error: Error | null, result: unknown][] | null>): Promise<void> {
  for (const [error] of (await transaction) ?? []) {
    if (error !== null) throw new RuntimeError("Redis did not take the ledger of flaky tests", { cause: error });
  }
}
