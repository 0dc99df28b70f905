/** Tests in quarantine: who puts them there, what they excuse, and that the end of it is said aloud. */
import { describe, expect, test } from "vitest";
import { lineText } from "../../src/chat/reply.ts";
import type { Clock } from "../../src/clock.ts";
import { createFlakyLedger } from "../../src/flaky/ledger.ts";
import { createQuarantine } from "../../src/flaky/quarantine.ts";
import { startQuarantineWatch, tellQuarantines } from "../../src/flaky/quarantine-watch.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { CONFIG, configOf, NOW, openRecords } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";
import { BLOB, CATALOG, PROXY, ran, tested } from "./builds.ts";

const TEAM = `${CONFIG}
timezone: Europe/Berlin
irc:
  - { name: fake, host: localhost, channels: ["#dev", "#ops"] }
notify: { rooms: ["fake/#ops"] }
people:
  ada: { irc: fake/ada, roles: [developer] }
`;
const ADA = { account: "ada" };
const HOUR = 3_600_000;

function settable(): Clock & { add(ms: number): void } {
  let time = NOW.getTime();
  return {
    now: () => new Date(time),
    add: (ms) => {
      time += ms;
    },
  };
}

async function openScene() {
  const records = await openRecords(configOf(TEAM));
  const clock = settable();
  const { redis, config, log } = records;
  const talk = openTalk(records, { time: clock });
  const quarantine = createQuarantine(redis.commands, clock);
  const ledger = createFlakyLedger(redis.commands, clock);
  const { project } = ran(1, [])[0];
  await ledger.record(...ran(43, [tested([BLOB, CATALOG, PROXY])]));
  const watch = { config, quarantine, subscriptions: createSubscriptions(redis.commands, clock), clock, log };
  return {
    records,
    clock,
    talk,
    quarantine,
    project,
    watch,
    /** What waits to be said in a room. */
    async told(room: string): Promise<string[]> {
      const entries = await redis.commands.lrange(`docker-ci:outbox:room:fake/${room}`, 0, -1);
      return entries.flatMap((json) => OutboxEntry.parse(JSON.parse(json)).outgoing.reply.lines.map(lineText));
    },
    [Symbol.asyncDispose]: () => records[Symbol.asyncDispose](),
  };
}

describe("!quarantine", () => {
  test("takes a part of a name that one test has, a time or a day, and an owner; the speaker is the owner else", async () => {
    await using scene = await openScene();
    const { talk } = scene;
    expect(await talk.ask("!quarantine docker-registry blobupload 2w", ADA)).toEqual([
      "docker-registry: registry/handlers › TestBlobUpload in quarantine until 2026-03-15 13:00 Europe/Berlin · owner ada · its failure alone fails no build · https://ci.example.org/projects/docker-registry",
    ]);
    expect(await talk.ask('!quarantine docker-registry "proxy TestProxy" 2026-03-28 @bob', ADA)).toEqual([
      "docker-registry: registry/proxy › TestProxy in quarantine until 2026-03-28 23:59 Europe/Berlin · owner bob · its failure alone fails no build · https://ci.example.org/projects/docker-registry",
    ]);
    expect(await talk.ask("!quarantine docker-registry TestBlobUpload 3d", ADA)).toEqual([
      expect.stringContaining("until 2026-03-04 13:00 Europe/Berlin · it was until 2026-03-15 13:00 Europe/Berlin ·"),
    ]);
    expect(await talk.ask("!quarantine docker-registry", ADA)).toEqual([
      "docker-registry: 2 tests in quarantine · https://ci.example.org/projects/docker-registry",
      "registry/handlers › TestBlobUpload until 2026-03-04 13:00 Europe/Berlin · owner ada",
      "registry/proxy › TestProxy until 2026-03-28 23:59 Europe/Berlin · owner bob",
    ]);
    expect(await talk.ask("!unquarantine docker-registry blob", ADA)).toEqual([
      expect.stringContaining("registry/handlers › TestBlobUpload is out of quarantine"),
    ]);
    expect(await talk.ask("!unquarantine docker-registry blob", ADA)).toEqual([
      'no test of docker-registry in quarantine has "blob" in its name. There are registry/proxy › TestProxy.',
    ]);
  });

  test.each([
    [
      "!quarantine docker-registry handlers 2w",
      /^"handlers" is in the names of 2 tests of docker-registry: registry\/handlers › TestBlobUpload, registry\/handlers › TestCatalog\. Say more/,
    ],
    [
      "!quarantine docker-registry TestBolbUpload 2w",
      /^no test of docker-registry with "TestBolbUpload" .*Did you mean registry\/handlers › TestBlobUpload\?$/,
    ],
    ["!quarantine docker blob 2w", /^no test of docker with "blob" in its name has failed in the last 200 builds, so/],
    ["!quarantine docker-registry blob", /^a quarantine has an end: !quarantine docker-registry blob 2w, or a day/],
    [
      "!quarantine docker-registry uploads a blob",
      /^"a" is no end: a time such as 2w, or a day such as 2026-03-15, .*quotes\.$/,
    ],
    ["!quarantine docker-registry blob 2026-02-30", /^"2026-02-30" is no end/],
    ["!quarantine docker-registry blob 2026-02-28", /^"2026-02-28" is over already/],
    ["!quarantine docker-registry blob 91d", /^"91d" is too far ahead: a quarantine lasts at most 90 days/],
    ["!quarantine docker-registry blob 2027-01-01", /^"2027-01-01" is too far ahead/],
    ["!quarantine docker-registry ... 2w", /^no test of docker-registry with "..." in its name/],
    ["!quarantine nosuch blob 2w", /^no project "nosuch"/],
  ])("%s is refused in one sentence", async (line, answer) => {
    await using scene = await openScene();
    expect(await scene.talk.ask(line, ADA)).toEqual([expect.stringMatching(answer)]);
    expect(await scene.quarantine.of(scene.project)).toEqual([]);
  });

  test("takes the role developer", async () => {
    await using scene = await openScene();
    const [answer] = await scene.talk.ask("!quarantine docker-registry blob 2w", { nick: "mallory" });
    expect(answer).toMatch(/^!quarantine takes the role developer\. /);
  });
});

describe("a failed step is excused", () => {
  test("when all that failed is in quarantine, and in no other case", async () => {
    await using scene = await openScene();
    await scene.talk.ask("!quarantine docker-registry blob 2d", ADA);
    await scene.talk.ask("!quarantine docker-registry catalog 9d", ADA);
    const excuses = await scene.quarantine.load(scene.project);
    const excused = (failing: Parameters<typeof tested>[0], changes = {}) => {
      const { tests } = tested(failing);
      return excuses.isExcused({ tests: tests && { ...tests, ...changes } });
    };
    expect(excused([BLOB])).toBe(true);
    expect(excused([BLOB, CATALOG])).toBe(true);
    expect(excused([BLOB, PROXY])).toBe(false);
    expect(excused([])).toBe(false);
    expect(excused([BLOB], { failed: 2 })).toBe(false);
    expect(excuses.isExcused({ tests: undefined })).toBe(false);
    expect(excuses.isExcused({ tests: tested([BLOB]).tests, testsIncomplete: true })).toBe(false);
    scene.clock.add(49 * HOUR);
    expect(excused([BLOB])).toBe(false);
    expect(excused([CATALOG])).toBe(true);
    const [other] = ran(1, [], { project: "docker" });
    expect((await scene.quarantine.load(other.project)).isExcused({ tests: tested([BLOB]).tests })).toBe(false);
  });
});

describe("the end of a quarantine", () => {
  test("is told a day before, and when it has come, once each, in the project's rooms and where it was asked for", async () => {
    await using scene = await openScene();
    await scene.talk.ask("!quarantine docker-registry blob 7d bob", { ...ADA, room: "#dev" });
    const pass = async (hours: number): Promise<void> => {
      scene.clock.add(hours * HOUR);
      await Promise.all([tellQuarantines(scene.watch), tellQuarantines(scene.watch)]);
    };
    await pass(143);
    expect(await scene.told("#ops")).toEqual([]);
    await pass(2);
    await pass(1);
    const soon =
      "the quarantine of registry/handlers › TestBlobUpload in docker-registry ends in 23h00m · owner bob · !quarantine docker-registry keeps the list · https://ci.example.org/projects/docker-registry";
    expect(await scene.told("#ops")).toEqual([soon]);
    await pass(22);
    await pass(24);
    const over =
      "the quarantine of registry/handlers › TestBlobUpload in docker-registry has ended: its failure fails builds again · owner bob · !flaky docker-registry · https://ci.example.org/projects/docker-registry";
    expect(await scene.told("#ops")).toEqual([soon, over]);
    expect(await scene.told("#dev")).toEqual([soon, over]);
    expect(await scene.quarantine.all()).toEqual([]);
  });

  test("that came while nobody ran is told at the next start; a short one is not told of twice", async () => {
    await using scene = await openScene();
    await scene.talk.ask("!quarantine docker-registry blob 20h", ADA);
    expect(await tellQuarantines(scene.watch)).toBe(0);
    scene.clock.add(500 * HOUR);
    expect(await scene.talk.ask("!quarantine docker-registry", ADA)).toEqual([
      "docker-registry: no test is in quarantine · https://ci.example.org/projects/docker-registry",
    ]);
    await using _watching = startQuarantineWatch(scene.watch, 20);
    await waitFor("the end to be told", async () => (await scene.told("#ops")).length === 1);
  });

  test("is told although another entry cannot be read", async () => {
    await using scene = await openScene();
    await scene.talk.ask("!quarantine docker-registry blob 1h", ADA);
    await scene.records.redis.commands.hset("docker-ci:quarantine", "x", "{", "y", '{"project":"docker"}');
    scene.clock.add(2 * HOUR);
    expect(await tellQuarantines(scene.watch)).toBe(1);
    expect(await scene.quarantine.of(scene.project)).toEqual([]);
  });

  test("that was renewed meanwhile is not told", async () => {
    await using scene = await openScene();
    await scene.talk.ask("!quarantine docker-registry blob 2d", ADA);
    const [before] = await scene.quarantine.all();
    if (before === undefined) throw new Error("it is there");
    await scene.talk.ask("!quarantine docker-registry blob 9d", ADA);
    expect(await scene.quarantine.settle(before, undefined, [])).toBe(false);
    expect(await scene.quarantine.of(scene.project)).toHaveLength(1);
  });
});
