/** What chat commands leave in the audit log, through the dispatcher and in a real Redis. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { commands } from "../../commands/index.ts";
import { AUDIT_LIST, createAudit } from "../../src/audit/audit.ts";
import { shownArguments } from "../../src/audit/trail.ts";
import { type Command, defineCommand } from "../../src/chat/command.ts";
import { parseLine } from "../../src/chat/grammar.ts";
import { say } from "../../src/chat/reply.ts";
import { RuntimeError, UserError } from "../../src/errors.ts";
import { CONFIG, clock, configOf, NOW, openRecords, type Records } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const TEAM = `${CONFIG}
irc: [{ name: fake, host: localhost, channels: ["#dev"] }]
people:
  ada: { irc: fake/ada, roles: developer }
  root: { irc: fake/root, roles: admin }
`;
const team = () => openRecords(configOf(TEAM));
const ADA = { account: "ada" };
const ROOT = { account: "root", nick: "root" };

/** `who account action detail outcome`, oldest first. */
async function audited({ redis }: Records): Promise<string[]> {
  const entries = (await createAudit(redis.commands, clock).latest(100)).toReversed();
  return entries.map(({ who, account, action, detail, outcome }) =>
    [who, account ?? "-", action, detail, outcome].filter((part) => part !== "").join(" | "),
  );
}

function failing(error: Error): Command {
  return defineCommand({
    name: "do",
    summary: "Does it.",
    examples: ["!do it"],
    role: "developer",
    args: z.strictObject({ what: z.string() }),
    run() {
      throw error;
    },
  });
}

describe("a command that changes something", () => {
  test("is recorded with who, where, what and when before it is done", async () => {
    await using records = await team();
    const seen: string[][] = [];
    const looks = defineCommand({
      name: "do",
      summary: "Does it.",
      examples: ["!do it"],
      role: "developer",
      args: z.strictObject({ what: z.string() }),
      async run() {
        seen.push(await audited(records));
        return say("info", ["done"]);
      },
    });
    expect(await openTalk(records, { commands: [looks] }).say("!do it", ADA)).toBe("answered");
    expect(seen).toEqual([["ada | fake/ada | do | it | accepted"]]);
    const [entry] = await createAudit(records.redis.commands, clock).latest(1);
    expect(entry).toMatchObject({ n: 1, at: NOW.toISOString(), room: "fake/#dev" });
    expect(records.entries(30)).toContainEqual(
      expect.objectContaining({ msg: "audited", n: 1, hash: entry?.hash, command: "do", outcome: "accepted" }),
    );
  });

  test("is recorded once when it is delivered twice", async () => {
    await using records = await team();
    const talk = openTalk(records);
    for (const id of ["m1", "m1"]) await talk.say("!build hello", { ...ADA, id });
    expect(await audited(records)).toEqual(["ada | fake/ada | build | hello | accepted"]);
  });

  test("that is refused or fails has what it was told as well", async () => {
    await using records = await team();
    const said = async (error: Error) => openTalk(records, { commands: [failing(error)] }).say("!do it", ADA);
    await said(new UserError("#43 is not over yet."));
    await said(new RuntimeError("cannot reach https://ada:hunter2@example.org: no such host"));
    await said(new TypeError("the password is hunter2"));
    const [, , , , , fault = ""] = (await audited(records)).map((line) => line.replace(/\([0-9a-f]{6}\)/, "(…)"));
    expect((await audited(records)).slice(0, 5)).toEqual([
      "ada | fake/ada | do | it | accepted",
      "ada | fake/ada | do | it: #43 is not over yet. | refused",
      "ada | fake/ada | do | it | accepted",
      "ada | fake/ada | do | it: ▲ cannot reach https://…@example.org: no such host | failed",
      "ada | fake/ada | do | it | accepted",
    ]);
    expect(fault).toBe("ada | fake/ada | do | it: ▲ That went wrong on my side (…); the log has the details. | failed");
  });

  test("is not done when it cannot be recorded", async () => {
    await using records = await team();
    await records.redis.commands.set(AUDIT_LIST, "no list");
    const talk = openTalk(records);
    expect(await talk.say("!build hello", ADA)).toBe("failed");
    expect(await talk.say("!shutdown", ROOT)).toBe("failed");
    expect([await records.store.latest(1), talk.stoppedBy]).toEqual([[], []]);
  });
});

describe("a refusal for want of a role", () => {
  test("is recorded, of a nick and of an account", async () => {
    await using records = await team();
    const talk = openTalk(records);
    await talk.say("!build hello TOKEN=hunter2", { nick: "mallory" });
    await talk.say("!shutdown", ADA);
    expect(await audited(records)).toEqual([
      "mallory | - | build | hello TOKEN=…: takes the role developer | refused",
      "ada | fake/ada | shutdown | takes the role admin | refused",
    ]);
  });

  test("is one even when it cannot be recorded, and the log says so", async () => {
    await using records = await team();
    await records.redis.commands.set(AUDIT_LIST, "no list");
    expect(await openTalk(records).say("!build hello", { nick: "mallory" })).toBe("refused");
    expect(records.entries(50)).toMatchObject([{ msg: "what became of a command could not be audited" }]);
  });
});

test("questions, slips of the finger and what nobody knows are no acts", async () => {
  await using records = await team();
  const talk = openTalk(records);
  for (const line of ["!status", "!whoami", "!biuld hello", "!build", "!build hello a..b", "!rebuild x", "hello"])
    await talk.say(line, ADA);
  for (const line of ["!audit", "!links", "!audit none"]) await talk.say(line, ROOT);
  expect(await audited(records)).toEqual([]);
});

test("a shutdown and a cancel in the terminal are recorded as whoever has it", async () => {
  await using records = await team();
  await records.create();
  const talk = openTalk(records, { network: "console" });
  await talk.say("!cancel 1 not now", { nick: "me", trusted: true });
  await talk.say("!shutdown", { nick: "me", trusted: true });
  expect(await audited(records)).toEqual(["me | - | cancel | 1 not now | accepted", "me | - | shutdown | accepted"]);
});

test.each([
  ["!build hello main GREETING=hi TOKEN=hunter2", "hello main GREETING=… TOKEN=…"],
  ["!build https://ada:hunter2@example.org/x", "https://…@example.org/x"],
  ["!build --project hello --ref v1", "hello v1"],
  ["!build hello main --keep 2h", "hello main --keep 2h"],
  ["!cancel 43 superseded by 44", "43 superseded by 44"],
  ["!link K7QF-2M9X", "…"],
  ["!queue with hunter2", ""],
  ["!shutdown", ""],
])("%s is shown as %j", (line, shown) => {
  const parsed = parseLine(line, { prefix: "!", botName: "docker-ci", direct: false });
  if (parsed.kind !== "command") throw new Error("it is one");
  const command = commands.find(({ name }) => name === parsed.name);
  if (command === undefined) throw new Error("there is one");
  expect(shownArguments(command, parsed)).toBe(shown);
});

test("!audit shows the newest first, five or as many as are asked for, at most twenty, and to admins alone", async () => {
  await using records = await team();
  const talk = openTalk(records);
  expect(await talk.ask("!audit", ROOT)).toEqual(["nothing has been done yet"]);
  await talk.say("!build hello", { nick: "mallory" });
  for (let n = 0; n < 24; n += 1) await talk.say("!build hello", ADA);
  const shown = await talk.ask("!audit", ROOT);
  expect(shown).toHaveLength(5);
  expect(shown[0]).toBe("25: 0s ago · ada (fake/ada) in fake/#dev · accepted: build hello");
  expect(await talk.ask("!audit 3", ROOT)).toEqual(shown.slice(0, 3));
  expect(await talk.ask("!audit 500", ROOT)).toHaveLength(20);
  for (const line of ["!audit 0", "!audit 1.5", "!audit x"]) expect(await talk.say(line, ROOT)).toBe("refused");
  expect(await talk.say("!audit", ADA)).toBe("refused");
  expect((await talk.ask("!audit 1", ROOT))[0]).toBe(
    "26: 0s ago · ada (fake/ada) in fake/#dev · refused: audit takes the role admin",
  );
});
