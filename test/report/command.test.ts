/** `!report`: an admin has the report mailed, and is told to whom, or what is missing for it. */
import { describe, expect, test } from "vitest";
import { report } from "../../commands/report.ts";
import type { Config } from "../../src/config.ts";
import { OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { mailReportNow } from "../../src/report/mailing.ts";
import { CONFIG, clock, configOf, openRecords } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const PEOPLE = `
irc: [{ name: fake, host: localhost, channels: ["#dev"] }]
people: { ada: { irc: fake/ada, roles: [admin] } }
`;
const ADMIN = { account: "ada" };
const OPS = "docker-ci:outbox:room:mail/ops@example.org";
const withMail = (to: string): Config =>
  configOf(`${CONFIG}\nmail: { host: h, from: ci@example.org, to: ${to} }${PEOPLE}`);

test("it takes an admin", () => {
  expect([report.role, report.changes]).toEqual(["admin", true]);
});

describe("mailing now", () => {
  test("puts one mail up for everybody, and says for whom", async () => {
    await using records = await openRecords(withMail("[ops@example.org, dev@example.org]"));
    const { config, builds, redis } = records;
    const sources = { config, builds, incidents: async () => [] };
    await records.end(await records.begin(await records.create("hello")), {
      kind: "passed",
      startedAt: "2026-03-01T11:00:00.000Z",
      finishedAt: "2026-03-01T11:01:00.000Z",
    });
    expect(await mailReportNow(redis.commands, sources, clock)).toEqual(["ops@example.org", "dev@example.org"]);
    const [json = "", ...more] = await redis.commands.lrange(OPS, 0, -1);
    expect(more).toEqual([]);
    const { outgoing, id } = OutboxEntry.parse(JSON.parse(json));
    expect(id).toBe("report-2026-03-01T12:00:00.000Z");
    expect(outgoing.reply.lines[0]?.facts).toEqual(["Daily report for 2026-03-01", "1 tried", "nothing is broken"]);
  });

  // O-111: it reads docker-ci's own records
  test("finds every build of the last days among a thousand", async () => {
    await using records = await openRecords(withMail("ops@example.org"));
    const { config, builds, redis } = records;
    for (let count = 0; count < 300; count += 1) {
      const build = await records.begin(await records.create("hello"));
      await records.end(build, {
        kind: "passed",
        startedAt: "2026-03-01T11:00:00.000Z",
        finishedAt: "2026-03-01T11:01:00.000Z",
      });
    }
    await mailReportNow(redis.commands, { config, builds, incidents: async () => [] }, clock);
    const [json = ""] = await redis.commands.lrange(OPS, 0, -1);
    expect(OutboxEntry.parse(JSON.parse(json)).outgoing.reply.lines[0]?.facts[1]).toBe("300 tried");
  });
});

describe("!report", () => {
  test("says to whom it goes", async () => {
    await using records = await openRecords(withMail("[ops@example.org, dev@example.org]"));
    const { config, builds, redis } = records;
    const sources = { config, builds, incidents: async () => [] };
    const talk = openTalk(records, { mailReport: () => mailReportNow(redis.commands, sources, clock) });
    expect(await talk.ask("!report", ADMIN)).toEqual(["the daily report goes to ops@example.org, dev@example.org"]);
    expect(await redis.commands.llen(OPS)).toBe(1);
    expect((await talk.ask("!report", { account: "bob" }))[0]).toContain("takes the role admin");
    expect(await redis.commands.llen(OPS)).toBe(1);
  });

  // O-113
  test("takes the week from Monday on, by the word or by the configuration, and nothing else", async () => {
    await using records = await openRecords(
      configOf(
        `${CONFIG}\nmail: { host: h, from: ci@example.org, to: ops@example.org }\nreport: { window: week }${PEOPLE}`,
      ),
    );
    const asked: unknown[] = [];
    const mailReport = async (window?: string) => {
      asked.push(window);
      return ["ops@example.org"];
    };
    const talk = openTalk(records, { mailReport });
    for (const line of ["!report", "!report rolling", "!report week"]) await talk.ask(line, ADMIN);
    expect(asked).toEqual(["week", "rolling", "week"]);
    expect((await talk.ask("!report month", ADMIN))[0]).toContain('"month" is not week or rolling. ');
    const { config, builds, redis } = records;
    // The first of March 2026 is a Sunday.
    await mailReportNow(redis.commands, { config, builds, incidents: async () => [] }, clock, "week");
    const [json = ""] = await redis.commands.lrange(OPS, 0, -1);
    expect(OutboxEntry.parse(JSON.parse(json)).outgoing.reply.verbatim?.join("\n")).toContain("This week");
  });

  test.each([
    [
      "there is no mail",
      CONFIG,
      "there is no mail here: the configuration's key mail says over which server, from and to whom.",
    ],
    [
      "mail has no recipients",
      `${CONFIG}\nmail: { host: h, from: ci@example.org }`,
      "mail.to in the configuration names nobody.",
    ],
  ])("names the key that is missing when %s", async (_what, config, answer) => {
    await using records = await openRecords(configOf(config + PEOPLE));
    const mailReport = config === CONFIG ? {} : { mailReport: async () => [] };
    expect(await openTalk(records, mailReport).ask("!report", ADMIN)).toEqual([answer]);
  });
});
