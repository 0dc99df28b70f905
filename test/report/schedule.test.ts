/** When the daily report goes out: once each time it is due, whatever restarts, and whatever the clocks do. */
import { describe, expect, test } from "vitest";
import { connectMail } from "../../adapters/smtp/index.ts";
import { type ReportJob, reportIfDue, startReportSchedule } from "../../jobs/report.ts";
import type { Clock } from "../../src/clock.ts";
import { type Config, type ReportWindow, Secret } from "../../src/config.ts";
import { ConfigError } from "../../src/errors.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { startOutbox } from "../../src/queue/outbox.ts";
import { OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { createOutboxLists } from "../../src/queue/outbox-lists.ts";
import { CONFIG, configOf, openRecords, type Records } from "../support/records.ts";
import { startSmtp } from "../support/smtp-server.ts";
import { waitFor } from "../support/wait-for.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const OPS = "docker-ci:outbox:room:mail/ops@example.org";

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

function withMail(timezone: string, to = "[ops@example.org, dev@example.org]"): Config {
  return configOf(`${CONFIG}\ntimezone: ${timezone}\nmail: { host: h, from: ci@example.org, to: ${to} }`);
}

function jobOf(records: Records, clock: Clock, at = "0 8 * * *", window: ReportWindow = "rolling"): ReportJob {
  const { config, builds, redis, log } = records;
  const subscriptions = createSubscriptions(redis.commands, clock);
  return {
    config,
    builds,
    subscriptions,
    redis: redis.commands,
    clock,
    log,
    report: { at, window },
    incidents: async () => [],
  };
}

/** The moments that the reports in a recipient's list are of, in order. */
async function put({ redis }: Records, list = OPS): Promise<string[]> {
  const entries = await redis.commands.lrange(list, 0, -1);
  return entries.map((json) => OutboxEntry.parse(JSON.parse(json)).at);
}

/** Lets time go by in steps, and asks two processes at each. */
async function pass(records: Records, clock: ReturnType<typeof settable>, hours: number, at?: string): Promise<void> {
  for (let minute = 0; minute < hours * 60; minute += 20) {
    await Promise.all([reportIfDue(jobOf(records, clock, at)), reportIfDue(jobOf(records, clock, at))]);
    clock.add(20 * MINUTE);
  }
}

// O-110: docker-ci's own schedule
describe("each time it is due", () => {
  test("over a week in which the clocks are put back, it is put up once a day for everybody, at eight o'clock there (O-06, O-19)", async () => {
    await using records = await openRecords(withMail("Europe/Berlin"));
    await pass(records, settable("2026-10-22T12:00:00Z"), 7 * 24);
    const expected = [
      "2026-10-23T06:00:00.000Z",
      "2026-10-24T06:00:00.000Z",
      "2026-10-25T07:00:00.000Z",
      "2026-10-26T07:00:00.000Z",
      "2026-10-27T07:00:00.000Z",
      "2026-10-28T07:00:00.000Z",
      "2026-10-29T07:00:00.000Z",
    ];
    expect(await put(records)).toEqual(expected);
    expect(await put(records, "docker-ci:outbox:room:mail/dev@example.org")).toEqual(expected);
  });

  test.each([
    [
      "put back, at a time that comes twice",
      "2026-10-24T12:00:00Z",
      ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"],
    ],
    [
      "put forward, at a time that does not come",
      "2026-03-28T12:00:00Z",
      ["2026-03-29T01:30:00.000Z", "2026-03-30T00:30:00.000Z"],
    ],
  ])("where the clocks are %s, too", async (_what, start, expected) => {
    await using records = await openRecords(withMail("Europe/Berlin"));
    await pass(records, settable(start), 48, "30 2 * * *");
    expect(await put(records)).toEqual(expected);
  });

  test("it has the week that the configuration says (O-113)", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    const clock = settable("2026-11-18T07:50:00Z");
    const job = jobOf(records, clock, undefined, "week");
    await reportIfDue(job);
    clock.add(HOUR);
    expect(await reportIfDue(job)).toEqual(new Date("2026-11-18T08:00:00Z"));
    const [json = ""] = await records.redis.commands.lrange(OPS, 0, -1);
    expect(OutboxEntry.parse(JSON.parse(json)).outgoing.reply.verbatim).toContainEqual(
      expect.stringMatching(/^This week /),
    );
  });

  test("it says what ended before that moment, for the mail's day (O-19)", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    const clock = settable("2026-03-01T11:00:00Z");
    const build = await records.begin(await records.create("hello"), 3_700);
    await records.end(build, {
      kind: "failed",
      startedAt: "2026-03-01T10:58:00Z",
      finishedAt: "2026-03-01T11:59:00Z",
      reason: "step tests, exit 1",
    });
    await reportIfDue(jobOf(records, clock, "0 12 * * *"));
    clock.add(HOUR);
    expect(await reportIfDue(jobOf(records, clock, "0 12 * * *"))).toEqual(new Date("2026-03-01T12:00:00Z"));
    const [json = ""] = await records.redis.commands.lrange(OPS, 0, -1);
    const { outgoing } = OutboxEntry.parse(JSON.parse(json));
    expect(outgoing.room).toEqual({ network: "mail", kind: "direct", name: "ops@example.org" });
    expect(outgoing.reply.lines[0]?.facts).toEqual(["Daily report for 2026-03-01", "1 tried", "1 failed", "1 broken"]);
    expect(outgoing.reply.lines[1]?.link).toBe("https://ci.example.org/builds/1");
  });
});

describe("after a time in which nobody ran", () => {
  test("the newest missed one is made up for, of the moment it was due, and no other", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    const clock = settable("2026-11-10T09:00:00Z");
    await reportIfDue(jobOf(records, clock));
    clock.time = new Date("2026-11-14T10:17:00Z");
    await pass(records, clock, 6);
    expect(await put(records)).toEqual(["2026-11-14T08:00:00.000Z"]);
  });

  test("the first start makes nothing up", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    await pass(records, settable("2026-11-10T09:00:00Z"), 6);
    expect(await put(records)).toEqual([]);
  });

  test.each([
    ["a year, with a report every minute", "* * * * *", "2026-11-14T10:17:00.000Z"],
    ["a year, with a report in every January", "0 8 1 1 *", "2026-01-01T08:00:00.000Z"],
  ])("%s", async (_what, at, expected) => {
    await using records = await openRecords(withMail("Etc/UTC"));
    const clock = settable("2025-11-14T10:00:00Z");
    await reportIfDue(jobOf(records, clock, at));
    clock.time = new Date("2026-11-14T10:17:30Z");
    await reportIfDue(jobOf(records, clock, at));
    expect(await put(records)).toEqual([expected]);
  });
});

describe("what upsets a schedule", () => {
  test("another time in the configuration: nothing is made up by the new one", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    const clock = settable("2026-11-10T07:50:00Z");
    await pass(records, clock, 1);
    await pass(records, clock, 24, "30 8 * * *");
    expect(await put(records)).toEqual(["2026-11-10T08:00:00.000Z", "2026-11-11T08:30:00.000Z"]);
  });

  test("a clock that goes back an hour says nothing twice, and one that was years ahead does not silence it", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    const clock = settable("2026-11-10T07:50:00Z");
    await pass(records, clock, 1);
    clock.add(-HOUR);
    await pass(records, clock, 2);
    clock.time = new Date("2036-01-01T07:00:00Z");
    await pass(records, clock, 2);
    clock.time = new Date("2026-11-11T07:00:00Z");
    await pass(records, clock, 2);
    expect(await put(records)).toEqual([
      "2026-11-10T08:00:00.000Z",
      "2035-12-31T08:00:00.000Z",
      "2036-01-01T08:00:00.000Z",
      "2026-11-11T08:00:00.000Z",
    ]);
  });

  test("what is kept of it cannot be read: it begins anew", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    await records.redis.commands.set("docker-ci:report:last", "{");
    await pass(records, settable("2026-11-10T07:50:00Z"), 1);
    expect(await put(records)).toEqual(["2026-11-10T08:00:00.000Z"]);
  });

  test("a day that never comes stops the start", async () => {
    await using records = await openRecords(withMail("Etc/UTC"));
    const job = jobOf(records, settable("2026-11-10T07:50:00Z"), "0 0 30 2 *");
    expect(() => startReportSchedule(job)).toThrow(ConfigError);
    expect(() => startReportSchedule(job)).toThrow('report.at: found "0 0 30 2 *", which never comes');
  });
});

test("a report that cannot be made for an hour is told of once, and is made when it can be", async () => {
  const rooms = 'irc: [{ name: libera, host: irc.example.org, nick: ci, channels: ["#docker-dev"] }]';
  const config = withMail("Etc/UTC");
  const heard = configOf(`${CONFIG}\n${rooms}\nnotify: { rooms: ["libera/#docker-dev"] }`);
  await using records = await openRecords({ ...config, notify: heard.notify });
  const clock = settable("2026-11-10T07:50:00Z");
  await reportIfDue(jobOf(records, clock));
  const broken: ReportJob = { ...jobOf(records, clock), incidents: () => Promise.reject(new Error("no answer")) };
  for (let minute = 0; minute < 90; minute += 10) {
    clock.add(10 * MINUTE);
    await reportIfDue(broken).catch(() => undefined);
  }
  const [told = "", ...more] = await records.redis.commands.lrange("docker-ci:outbox:room:libera/#docker-dev", 0, -1);
  expect(more).toEqual([]);
  expect(OutboxEntry.parse(JSON.parse(told)).outgoing.reply.lines[0]?.facts).toEqual([
    "daily report did not happen: due Tue 08:00 UTC, 1h00m ago",
    "no answer",
  ]);
  expect(await reportIfDue(jobOf(records, clock))).toEqual(new Date("2026-11-10T08:00:00Z"));
});

describe("a report that reaches nobody", () => {
  const DEV_ROOM = "docker-ci:outbox:room:libera/#docker-dev";

  async function putUp() {
    const rooms = 'irc: [{ name: libera, host: irc.example.org, nick: ci, channels: ["#docker-dev"] }]';
    const heard = configOf(`${CONFIG}\n${rooms}\nnotify: { rooms: ["libera/#docker-dev"] }`);
    const records = await openRecords({ ...withMail("Etc/UTC"), notify: heard.notify });
    const clock = settable("2026-11-10T07:50:00Z");
    await reportIfDue(jobOf(records, clock));
    clock.add(11 * MINUTE);
    await reportIfDue(jobOf(records, clock));
    const { commands } = records.redis;
    const lists = createOutboxLists(commands);
    return {
      [Symbol.asyncDispose]: () => records[Symbol.asyncDispose](),
      clock,
      lists,
      head: async () => (await lists.head(OPS)) ?? "",
      away: () =>
        lists.trouble(OPS, {
          reason: "ops@example.org cannot be mailed: connect ECONNREFUSED",
          tries: 3,
          since: clock.now().toISOString(),
          nextAt: clock.now().toISOString(),
        }),
      /** Lets an hour and a half go by. @returns what the room was told. */
      async told() {
        for (let minute = 0; minute < 90; minute += 10) {
          clock.add(10 * MINUTE);
          await Promise.all([reportIfDue(jobOf(records, clock)), reportIfDue(jobOf(records, clock))]);
        }
        return (await commands.lrange(DEV_ROOM, 0, -1)).map((json) =>
          OutboxEntry.parse(JSON.parse(json)).outgoing.reply.lines.map(({ facts, link }) =>
            [...facts, link].join(" · "),
          ),
        );
      },
    };
  }

  test("since mail does not go out is told of once, where people see it", async () => {
    await using scene = await putUp();
    await scene.away();
    expect(await scene.told()).toEqual([
      [
        "daily report did not happen: due Tue 08:00 UTC, 1h01m ago · 1 of 2 who get it did not: … cannot be mailed: connect ECONNREFUSED · https://ci.example.org/outbox",
      ],
    ]);
    // Mail's own readers would hear of it when the report is there.
    expect(await scene.lists.length(OPS)).toBe(1);
    expect(await scene.told()).toHaveLength(1);
  });

  test("since its address is refused is told of, too", async () => {
    await using scene = await putUp();
    await scene.lists.drop(OPS, await scene.head(), "550 no such user", scene.clock.now());
    expect(await scene.told()).toEqual([[expect.stringContaining("1 of 2 who get it did not: 550 no such user")]]);
  });

  test("for less than an hour is nobody's business", async () => {
    await using scene = await putUp();
    await scene.away();
    scene.clock.add(50 * MINUTE);
    await scene.lists.done(OPS, await scene.head());
    expect(await scene.told()).toEqual([]);
  });
});

// O-110, O-112
test("from the schedule to the mailbox: one mail a day, with restarts between, and Redis left as it was", async () => {
  await using server = await startSmtp();
  const { login, port, caFile } = server;
  const keys = `host: 127.0.0.1, port: ${port}, ca: ${caFile}, user: ${login.user}, password: ${login.password}`;
  const config = configOf(`${CONFIG}\nmail: { ${keys}, from: ci@example.org, to: ops@example.org }`);
  await using records = await openRecords(config);
  if (config.mail === undefined) throw new Error("there is mail");
  const mail = { ...config.mail, password: new Secret(login.password) };
  await using chat = connectMail(mail, { log: records.log, url: config.url, version: "1.0.0" });
  const { commands, open } = records.redis;
  await using outbox = startOutbox(commands, open, new Map([[chat.network, chat]]), records.log);
  const clock = settable("2026-11-20T07:59:00Z");
  for (const day of ["2026-11-20", "2026-11-21", "2026-11-22"]) {
    await using _schedule = startReportSchedule(jobOf(records, clock), 5);
    await waitFor("the first look", () => commands.exists("docker-ci:report:last").then((there) => there === 1));
    clock.time = new Date(`${day}T08:00:01Z`);
    await waitFor(day, () => server.received.some(({ parsed }) => parsed.subject?.includes(day)));
  }
  await outbox.drained("mail", AbortSignal.timeout(10_000));
  expect(server.received.map(({ parsed }) => parsed.subject)).toEqual([
    "[docker-ci] Daily report for 2026-11-20",
    "[docker-ci] Daily report for 2026-11-21",
    "[docker-ci] Daily report for 2026-11-22",
  ]);
  expect(server.received[2]?.parsed.text).toContain("Last 7 days          tried   failed  percent   median\ndocker");
  expect(records.entries(40)).toEqual([]);
});
