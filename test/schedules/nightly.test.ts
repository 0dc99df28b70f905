/** Nights and schedules: once each time they are due, whatever restarts and whatever the clocks do (O-18, O-33, O-122). */
import { describe, expect, test } from "vitest";
import { type NightlyScene, nightlyIfDue, startNightlies } from "../../jobs/nightly.ts";
import type { FinalState } from "../../src/builds/build.ts";
import { lineText } from "../../src/chat/reply.ts";
import type { Clock } from "../../src/clock.ts";
import { ConfigError, RuntimeError } from "../../src/errors.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { TRIGGER_NETWORK } from "../../src/names.ts";
import { OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { wallClock } from "../../src/report/days.ts";
import { type Schedule, schedulesOf } from "../../src/schedules/schedule.ts";
import { configOf, openRecords, type Records, revisionOf } from "../support/records.ts";
import { WORKER } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ROOM = "docker-ci:outbox:room:libera/#docker-dev";

function settable(start: string): Clock & { time: Date; add(ms: number): void } {
  return {
    time: new Date(start),
    now() {
      return this.time;
    },
    add(ms) {
      this.time = new Date(this.time.getTime() + ms);
    },
  };
}

function config(keys: string, more = "") {
  return configOf(`
url: https://ci.example.org
irc: [{ name: libera, host: irc.example.org, nick: ci, channels: ["#docker-dev"] }]
notify: { rooms: ["libera/#docker-dev"] }
projects: { hello: { repo: /repositories/hello, ${keys} } }
${more}`);
}

type Changes = Partial<NightlyScene>;

function sceneOf(records: Records, clock: Clock, changes: Changes = {}): NightlyScene {
  const { config, builds, redis, log } = records;
  return {
    config,
    builds,
    revisions: undefined,
    subscriptions: createSubscriptions(redis.commands, clock),
    redis: redis.commands,
    clock,
    log,
    workers: async () => [WORKER],
    ...changes,
  };
}

function only({ config }: Records): Schedule {
  const [schedule] = schedulesOf(config);
  if (schedule === undefined) throw new Error("there is a schedule");
  return schedule;
}

/** A look by each of two processes at once; what they came to. */
async function look(records: Records, clock: Clock, changes: Changes = {}) {
  const scene = sceneOf(records, clock, changes);
  const schedules = schedulesOf(records.config);
  const seen = await Promise.all([...schedules, ...schedules].map((schedule) => nightlyIfDue(scene, schedule)));
  return seen.filter((nightly) => nightly !== undefined);
}

async function said({ redis }: Records): Promise<string[]> {
  const entries = await redis.commands.lrange(ROOM, 0, -1);
  return entries.map((json) => OutboxEntry.parse(JSON.parse(json)).outgoing.reply.lines.map(lineText).join("\n"));
}

const PASSED: FinalState = {
  kind: "passed",
  startedAt: "2026-03-01T11:00:00.000Z",
  finishedAt: "2026-03-01T11:01:00.000Z",
};

describe("over a year, with two processes that forget everything between two looks", () => {
  test.each([
    ["Europe/Berlin", "30 2 * * *", "02:30"],
    ["Europe/Berlin", "0 7 * * *", "07:00"],
    ["America/Los_Angeles", "30 2 * * *", "02:30"],
    ["America/Los_Angeles", "30 1 * * *", "01:30"],
  ])("in %s, %s comes once on every day (O-06)", { timeout: 120_000 }, async (timezone, at, time) => {
    const nightly = `{ name: night, at: "${at}", timezone: ${timezone}, projects: hello, unchanged: run }`;
    await using records = await openRecords(config("", `schedules: [${nightly}]`));
    const clock = settable("2026-01-01T12:10:00Z");
    const due: Date[] = [];
    for (let round = 0; clock.time < new Date("2027-01-01T12:10:00Z"); round += 1) {
      for (const seen of await look(records, clock)) {
        if (seen.kind !== "requested") continue;
        due.push(seen.due);
        await records.builds.cancel(seen.build.number, "ada", undefined);
      }
      clock.add(((round * 17) % 240) * MINUTE + MINUTE);
      // The clock is put right, half an hour back, now and then.
      if (round % 97 === 0) clock.add(-30 * MINUTE);
    }
    const days = due.map((moment) => wallClock(moment, timezone).slice(0, 10));
    expect(days.length).toBe(365);
    expect(new Set(days).size).toBe(365);
    // On the one day that has no such time it comes an hour later.
    const times = due.map((moment) => wallClock(moment, timezone).slice(11, 16)).filter((shown) => shown !== time);
    expect(times.length).toBeLessThanOrEqual(at === "30 2 * * *" ? 1 : 0);
    expect((await records.builds.latest(400)).length).toBe(365);
  });
});

describe("a night", () => {
  test("is `true` for seven o'clock UTC, whatever the time zone is (O-33)", async () => {
    const written = config("nightly: true", "timezone: Europe/Berlin");
    expect(schedulesOf(written)).toMatchObject([{ at: "0 7 * * *", timezone: "Etc/UTC", project: "hello" }]);
    expect(schedulesOf(config("nightly: false"))).toEqual([]);
    expect(schedulesOf(config('nightly: "15 */4 * * *"', "timezone: Europe/Berlin"))).toMatchObject([
      { at: "15 */4 * * *", timezone: "Europe/Berlin" },
    ]);
  });

  test("is a build of the main branch that nobody asked for, with the event nightly", async () => {
    await using records = await openRecords(config("nightly: true, branch: release"));
    const clock = settable("2026-03-01T06:50:00Z");
    expect(await look(records, clock)).toEqual([]);
    clock.add(11 * MINUTE);
    expect(await look(records, clock)).toMatchObject([{ kind: "requested", due: new Date("2026-03-01T07:00:00Z") }]);
    expect(await records.builds.queued()).toMatchObject([
      {
        number: 1,
        ref: "release",
        event: "nightly",
        requester: { name: "nightly", network: TRIGGER_NETWORK, room: { name: "hello" } },
      },
    ]);
  });

  test("that was missed is made up for once; what nobody asked for before the first start is not", async () => {
    await using records = await openRecords(config("nightly: true"));
    const clock = settable("2026-03-01T09:00:00Z");
    expect(await look(records, clock)).toEqual([]);
    clock.add(4 * DAY + HOUR);
    const [missed] = await look(records, clock);
    expect(missed).toMatchObject({ kind: "requested", due: new Date("2026-03-05T07:00:00Z") });
    await records.begin((await records.builds.queued())[0] ?? never());
    clock.add(2 * HOUR);
    expect(await look(records, clock)).toEqual([]);
    expect((await records.builds.latest(10)).length).toBe(1);
  });

  test("whose process was killed before it was written down that it was asked for is not asked for twice", async () => {
    await using records = await openRecords(config("nightly: true"));
    const clock = settable("2026-03-01T06:50:00Z");
    await look(records, clock);
    clock.add(20 * MINUTE);
    const { key } = only(records);
    const before = (await records.redis.commands.get(key)) ?? "";
    await look(records, clock);
    await records.redis.commands.set(key, before);
    expect(await look(records, clock)).toMatchObject([{ kind: "requested", build: { number: 1 } }]);
    expect((await records.builds.latest(10)).length).toBe(1);
  });

  test("that still waits when the next one comes is cancelled for it, so that a long pause piles up none", async () => {
    await using records = await openRecords(config("nightly: true"));
    const clock = settable("2026-03-01T06:50:00Z");
    await records.builds.pauses.pause(undefined, "ada");
    for (let day = 0; day < 4; day += 1) {
      await look(records, clock);
      clock.add(DAY);
    }
    const [newest, ...older] = await records.builds.latest(10);
    expect(newest?.state).toEqual({ kind: "queued" });
    expect(older.map(({ state }) => state)).toMatchObject([
      { kind: "cancelled", by: "nightly", reason: `superseded by #${newest?.number}` },
      { kind: "cancelled", by: "nightly" },
    ]);
  });

  test("at a revision that has a result already is left out, and the schedule says so", async () => {
    await using records = await openRecords(config("nightly: true"));
    const clock = settable("2026-03-01T06:50:00Z");
    let sha = "0";
    const changes: Changes = { revisions: { resolve: async () => revisionOf(sha) } };
    await look(records, clock, changes);
    clock.add(DAY);
    const [first] = await look(records, clock, changes);
    if (first?.kind !== "requested") throw new Error("it was asked for");
    await records.end(await records.begin(first.build), PASSED);
    clock.add(DAY);
    expect(await look(records, clock, changes)).toMatchObject([{ kind: "skipped", since: { number: 1 } }]);
    clock.add(DAY);
    expect(await look(records, clock, changes)).toMatchObject([{ kind: "skipped", since: { number: 1 } }]);
    sha = "1";
    clock.add(DAY);
    expect(await look(records, clock, changes)).toMatchObject([{ kind: "requested" }]);
    expect((await records.builds.latest(10)).length).toBe(2);
  });

  test.each([
    ["the last one could not run", "nightly: true", { kind: "errored", reason: "no engine", tries: 2 }],
    ["it is to run all the same", "nightly: true, nightly_unchanged: run", PASSED],
  ] as const)("at the same revision is built when %s", async (_when, keys, end) => {
    await using records = await openRecords(config(keys));
    const clock = settable("2026-03-01T06:50:00Z");
    const changes: Changes = { revisions: { resolve: async () => revisionOf("0") } };
    await look(records, clock, changes);
    clock.add(DAY);
    const [first] = await look(records, clock, changes);
    if (first?.kind !== "requested") throw new Error("it was asked for");
    await records.end(await records.begin(first.build), { finishedAt: PASSED.finishedAt, ...end });
    clock.add(DAY);
    expect(await look(records, clock, changes)).toMatchObject([{ kind: "requested" }]);
    expect((await records.builds.latest(10)).length).toBe(2);
  });

  test("whose pattern was changed counts from then on, and one of no day stops the start", async () => {
    await using records = await openRecords(config("nightly: true"));
    const clock = settable("2026-03-01T06:50:00Z");
    await look(records, clock);
    clock.add(20 * MINUTE);
    const later = { ...only(records), at: "0 6 * * *" };
    expect(await nightlyIfDue(sceneOf(records, clock), later)).toBeUndefined();
    clock.add(DAY);
    expect(await nightlyIfDue(sceneOf(records, clock), later)).toMatchObject({ due: new Date("2026-03-02T06:00:00Z") });
    const never = { ...records, config: config('nightly: "0 0 30 2 *"') };
    expect(() => startNightlies(sceneOf(never, clock))).toThrow(ConfigError);
    expect(() => startNightlies(sceneOf(never, clock))).toThrow('projects.hello.nightly: found "0 0 30 2 *"');
  });
});

describe("a night that did not happen is told once", () => {
  async function due(records: Records, changes: Changes = {}) {
    const clock = settable("2026-03-01T06:50:00Z");
    await look(records, clock, changes);
    clock.add(15 * MINUTE);
    await look(records, clock, changes).catch(() => undefined);
    return clock;
  }

  test("when everything is paused", async () => {
    await using records = await openRecords(config("nightly: true"));
    await records.builds.pauses.pause(undefined, "ada");
    const clock = await due(records);
    clock.add(10 * MINUTE);
    await look(records, clock);
    expect(await said(records)).toEqual([]);
    // The records' own clock stands still, at noon of that day: the build was asked for then.
    clock.time = new Date("2026-03-01T13:01:00Z");
    for (let minute = 0; minute < 5; minute += 1) await look(records, clock);
    expect(await said(records)).toEqual([
      "▲ nightly hello did not happen: due Sun 07:00 UTC, 6h01m ago · #1 still waits: paused by ada since Sun 12:00 UTC · https://ci.example.org/builds/1",
    ]);
  });

  test("when no worker is up", async () => {
    await using records = await openRecords(config("nightly: true"));
    const clock = await due(records, { workers: async () => [] });
    clock.time = new Date("2026-03-01T13:01:00Z");
    await look(records, clock, { workers: async () => [] });
    expect((await said(records))[0]).toContain("#1 still waits: no worker is up");
  });

  test("when its repository cannot be reached for an hour, and it is built when it can again", async () => {
    await using records = await openRecords(config("nightly: true"));
    const away: Changes = {
      builds: {
        ...records.builds,
        request: async () => {
          throw new RuntimeError("the repository does not answer");
        },
      },
    };
    const clock = await due(records, away);
    clock.add(30 * MINUTE);
    await expect(look(records, clock, away)).rejects.toThrow("does not answer");
    expect(await said(records)).toEqual([]);
    clock.add(30 * MINUTE);
    for (let minute = 0; minute < 3; minute += 1) await look(records, clock, away).catch(() => undefined);
    expect(await said(records)).toEqual([
      "▲ nightly hello did not happen: due Sun 07:00 UTC, 1h05m ago · the repository does not answer · https://ci.example.org/schedule",
    ]);
    expect(await look(records, clock)).toMatchObject([{ kind: "requested", due: new Date("2026-03-01T07:00:00Z") }]);
  });

  test("at once when its branch is gone, since no later try would find it", async () => {
    await using records = await openRecords(config("nightly: true, branch: mane"));
    const clock = await due(records);
    expect(await said(records)).toEqual([
      expect.stringMatching(
        /^▲ nightly hello did not happen: .* · hello has no branch, tag or commit "mane"\. Nearest: main\./,
      ),
    ]);
    clock.add(2 * HOUR);
    expect(await look(records, clock)).toEqual([]);
    expect((await said(records)).length).toBe(1);
  });

  test("but not when it has begun", async () => {
    await using records = await openRecords(config("nightly: true"));
    const clock = await due(records);
    const [build] = await records.builds.queued();
    if (build !== undefined) await records.begin(build);
    clock.time = new Date("2026-03-01T13:01:00Z");
    await look(records, clock);
    expect(await said(records)).toEqual([]);
  });
});

function never(): never {
  throw new Error("there is one");
}

test("the process looks by itself, and stops when it is told to", async () => {
  await using records = await openRecords(config("nightly: true"));
  const clock = settable("2026-03-01T06:50:00Z");
  {
    await using _nights = startNightlies(sceneOf(records, clock), 5);
    const { key } = only(records);
    await waitFor("the first look", async () => (await records.redis.commands.exists(key)) === 1);
    clock.add(11 * MINUTE);
    await waitFor("the build", async () => (await records.builds.queued()).length === 1);
  }
  clock.add(DAY);
  expect((await records.builds.queued()).length).toBe(1);
});
