/** Tests whose failure alone fails no build, each with an owner and an end; kept in Redis. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { Room } from "../chat/message.ts";
import type { Clock } from "../clock.ts";
import { ProjectName } from "../names.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { settleField } from "../queue/push.ts";
import type { StepFindings } from "../results/findings.ts";
import { TestName, testKey } from "../results/test-case.ts";
import { readRecord } from "./read-record.ts";

const QUARANTINE = "docker-ci:quarantine";

export const Quarantined = z.strictObject({
  project: ProjectName,
  test: TestName,
  owner: z.string(),
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  /** Where it was asked for, and is told of in any case. */
  room: Room,
  /** That it ends soon has been told. */
  warned: z.boolean(),
});
export type Quarantined = z.infer<typeof Quarantined>;

/** What is in quarantine as a build begins. */
export interface Excuses {
  /**
   * Whether a failed step failed in nothing but tests that are in quarantine now. Never where the report does not name all that
   * failed. It sees only the report: a step that was stopped for its time, memory or disk is not to be asked about.
   */
  isExcused(findings: Pick<StepFindings, "tests" | "testsIncomplete">): boolean;
}

/** An entry as it was read; handed back when it is changed. */
export interface Remembered {
  readonly entry: Quarantined;
  readonly json: string;
}

export type Quarantine = ReturnType<typeof createQuarantine>;

/** @param log told of an entry that cannot be read. */
export function createQuarantine(redis: Redis, clock: Clock, log?: Logger) {
  const field = (project: ProjectName, test: TestName): string => `${project}\0${testKey(test)}`;
  const isOn = ({ until }: Quarantined): boolean => Date.parse(until) > clock.now().getTime();

  async function all(): Promise<Remembered[]> {
    const found = Object.values(await redis.hgetall(QUARANTINE));
    return found
      .flatMap((json) => readRecord(Quarantined, json, log).map((entry) => ({ json, entry })))
      .toSorted((a, b) => a.entry.until.localeCompare(b.entry.until));
  }

  /** What of a project is in quarantine now, what ends first at the top. */
  async function of(project: ProjectName): Promise<Quarantined[]> {
    return (await all()).map(({ entry }) => entry).filter((entry) => entry.project === project && isOn(entry));
  }

  return {
    of,

    /** Takes the place of an earlier one of the same test, which is handed back. */
    async add(entry: Quarantined): Promise<Quarantined | undefined> {
      const name = field(entry.project, entry.test);
      const before = await redis.hget(QUARANTINE, name);
      await redis.hset(QUARANTINE, name, JSON.stringify(Quarantined.parse(entry)));
      return readRecord(Quarantined, before, log)[0];
    },

    /** @returns whether it was there. */
    async remove(project: ProjectName, test: TestName): Promise<boolean> {
      return (await redis.hdel(QUARANTINE, field(project, test))) > 0;
    },

    /** For a build that begins: what is added while it runs does not count for it, what ends does. */
    async load(project: ProjectName): Promise<Excuses> {
      const entries = await of(project);
      return {
        isExcused({ tests, testsIncomplete }) {
          if (tests === undefined || tests.failing.length === 0) return false;
          if (testsIncomplete === true || tests.failed > tests.failing.length) return false;
          const excused = new Set(entries.filter(isOn).map(({ test }) => testKey(test)));
          return tests.failing.every((test) => excused.has(testKey(test)));
        },
      };
    },

    /** All of every project, also what has ended and was not told yet. */
    all,

    /** Changes an entry, or ends it, with what is to be told of it. False when it changed meanwhile: look again. */
    async settle(before: Remembered, next: Quarantined | undefined, entries: readonly OutboxEntry[]): Promise<boolean> {
      const name = field(before.entry.project, before.entry.test);
      const json = next === undefined ? "" : JSON.stringify(Quarantined.parse(next));
      return settleField(redis, QUARANTINE, name, before.json, json, entries);
    },
  };
}
