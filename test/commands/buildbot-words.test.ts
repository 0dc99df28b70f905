/** The words of Buildbot's bot, as people type them who know it, and what each answers here (O-76). */
import { describe, expect, test } from "vitest";
import type { FinalState } from "../../src/builds/build.ts";
import { sourceOf } from "../../src/package.ts";
import { ago, CONFIG, configOf, openRecords, type Records } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const TEAM = `${CONFIG}
irc: [{ name: fake, host: localhost, channels: ["#dev"] }]
people: { ada: { irc: fake/ada, roles: [developer, admin] } }
`;
const ADA = { account: "ada" };
const PAGE = "https://ci.example.org";
const WAYS = `!status says what runs, !help what I can do · ${PAGE}`;
const team = (more = "") => openRecords(configOf(`${TEAM}${more}`));
const passed: FinalState = { kind: "passed", startedAt: ago(5), finishedAt: ago(0) };
const failed: FinalState = { ...passed, kind: "failed", reason: "step tests, exit 1" };

async function end(records: Records, project: string, state: FinalState): Promise<void> {
  await records.end(await records.begin(await records.create(project)), state);
}

describe("hello", () => {
  test("greets with how things are", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("docker-ci: hello")).toEqual([`○ at your service; nothing has been built yet · ${WAYS}`]);
    await end(records, "hello", passed);
    expect(await talk.ask("hi", { kind: "direct", room: "ada" })).toEqual([
      `✔ at your service; nothing is broken · ${WAYS}`,
    ]);
    await end(records, "docker", failed);
    expect(await talk.ask("docker-ci, hello there, how are you")).toEqual([
      `✘ at your service; broken: docker #2 · ${WAYS}`,
    ]);
  });

  test("answers what somebody does to the bot, once a minute in a room, so that two bots fall silent", async () => {
    await using records = await team();
    let now = Date.parse("2026-03-01T12:00:00Z");
    const talk = openTalk(records, { time: { now: () => new Date(now) } });
    const poke = (room: string, nick = "ada") => talk.say("pokes docker-ci", { action: true, room, nick });
    expect(await poke("#dev")).toBe("answered");
    expect(talk.chat.lines()).toEqual([`ada: ○ at your service; nothing has been built yet · ${WAYS}`]);
    expect([await poke("#dev"), await poke("#dev", "otherbot"), await poke("#ops")]).toEqual([
      "ignored",
      "ignored",
      "answered",
    ]);
    now += 60_000;
    expect(await poke("#dev")).toBe("answered");
    expect(await talk.say("wonders about docker-ci today", { action: true, room: "#new" })).toBe("ignored");
  });
});

test("jokes are no commands, and nothing of them is in the list", async () => {
  await using records = await team();
  const talk = openTalk(records);
  for (const joke of ["dance", "destroy", "hustle"])
    expect((await talk.ask(`!${joke}`))[0]).toMatch(new RegExp(`^no command "${joke}"\\..* !help lists them\\.$`));
});

test("!help lists one word for each thing, and explains those of Buildbot's bot too", async () => {
  await using records = await team();
  const talk = openTalk(records);
  const all = (await talk.ask("!help")).join(" ").split(/[\s:·]+/);
  expect(all).toEqual(expect.arrayContaining(["!build", "!list", "!status", "!subscribe"]));
  for (const word of ["!force", "!hello", "!source", "!notify"]) {
    expect(all).not.toContain(word);
    expect((await talk.ask(`!help ${word}`))[0]).toContain(word);
  }
});

describe("list", () => {
  test.each(["!list", "!list builders", "docker-ci: list builders", "!builders"])("%s", async (line) => {
    await using records = await team();
    await end(records, "docker", failed);
    await end(records, "docker-registry", { ...passed, kind: "errored", reason: "no image", tries: 1 });
    // What is cancelled says nothing of how it stands.
    const cancelled = { kind: "cancelled", finishedAt: ago(0), by: "ada" } as const;
    await records.end(await records.begin(await records.create("docker")), cancelled);
    expect(await openTalk(records).ask(line)).toEqual([
      `✘ docker #1 failed · ▲ docker-registry #2 could not run · ○ hello not built yet · ${PAGE}`,
    ]);
  });
});

describe("source", () => {
  test("names nothing that package.json does not name, and the page", async () => {
    await using records = await team();
    expect(await openTalk(records).ask("!source")).toEqual([
      `docker-ci 1.0.0 · Apache-2.0 · its package.json names no repository · ${PAGE}`,
    ]);
  });

  test.each([
    [{ repository: { url: "git+https://git.example.org/docker-ci.git" } }, "https://git.example.org/docker-ci"],
    [{ repository: "https://git.example.org/docker-ci" }, "https://git.example.org/docker-ci"],
    [{ homepage: "https://ci.example.org/about" }, "https://ci.example.org/about"],
    [{}, undefined],
  ])("%j is at %s", (described, where) => {
    expect(sourceOf(described)).toBe(where);
  });
});

describe("notify", () => {
  test("on, list and off", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!notify on")).toEqual([
      "this room hears of every project: broken, fixed, errored · !notify off ends it",
    ]);
    await talk.ask("!subscribe hello every branch=main");
    await talk.ask("!mute 2h");
    expect(await talk.ask("!notify list")).toEqual([
      "this room hears of every project: broken, fixed, errored · hello main: every · muted until Sun 14:00 UTC",
    ]);
    expect(await talk.ask("!notify list", { room: "#ops" })).toEqual([
      "this room hears of nothing by itself · !notify on ends that",
    ]);
    expect(await talk.ask("!notify off")).toEqual(["this room hears no more by itself"]);
    expect(await talk.ask("!notify off")).toEqual(["this room had no subscription"]);
    expect(await talk.ask("!unsubscribe")).toEqual(["this room hears of nothing by itself · !notify on ends that"]);
  });

  test("takes the events of both, and says what it takes", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect((await talk.ask("!notify on successToFailure exception broken"))[0]).toContain(
      "every project: broken, errored",
    );
    expect(await talk.ask("!notify on failure")).toEqual([
      '"failure" is no event. There are broken, fixed, errored, every.',
    ]);
    expect((await talk.ask("!notify hello"))[0]).toContain(
      '"hello" is not on, off or list; to hear of one project there is subscribe.',
    );
  });

  test("off ends nothing that the configuration says, and tells so", async () => {
    await using records = await team('notify: { rooms: "fake/#dev", on: [broken, failed] }\n');
    const talk = openTalk(records);
    expect(await talk.ask("!notify list")).toEqual([
      "this room hears of every project: broken, failed (by the configuration)",
    ]);
    expect(await talk.ask("!notify off")).toEqual([
      "this room still hears of every project: broken, failed (by the configuration) · !mute quiets it for a while",
    ]);
  });
});

describe("force build", () => {
  test("takes branch, revision, props and a reason, which is kept", async () => {
    await using records = await team();
    const talk = openTalk(records);
    const line = "!force build --branch=release --props=GREETING=hi,LEVEL=a=b hello don't know \u202ewhy";
    expect((await talk.ask(line, ADA))[0]).toMatch(/^○ hello #1 queued · release 0000000 /);
    expect((await records.store.latest(1))[0]).toMatchObject({
      ref: "release",
      params: { GREETING: "hi", LEVEL: "a=b" },
      reason: "don't know why",
    });
    await talk.ask("!force build hello --revision release --branch=main", ADA);
    await talk.ask("!force hello", ADA);
    const [third, second] = await records.store.latest(2);
    expect([second?.ref, second?.reason, third?.ref, third?.reason]).toEqual(["release", undefined, "main", undefined]);
  });

  test("is a developer's, and a mistyped option builds nothing", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect((await talk.ask("!force build hello", { nick: "mallory" }))[0]).toContain("!force takes the role developer");
    expect((await talk.ask("!force build hello --brnch=x", ADA))[0]).toContain("the options are --branch, --revision");
    expect((await talk.ask("!force build --brnch=x hello", ADA))[0]).toContain("there is no option --brnch");
    expect((await talk.ask("!force build --props=x hello", ADA))[0]).toContain("--props takes name=value");
    expect(await records.store.latest(1)).toEqual([]);
  });
});

describe("stop build", () => {
  test("ends the only one of a project, with a reason, and asks which where there are more", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!stop build hello", ADA)).toEqual(["nothing of hello runs or waits."]);
    await talk.ask("!build hello", ADA);
    await talk.ask("!build docker", ADA);
    expect(await talk.ask("!stop build hello it was not meant", ADA)).toEqual(["■ hello #1 taken out of the line"]);
    expect((await talk.ask("!last hello"))[0]).toContain("cancelled by ada: it was not meant");
    await talk.ask("!build docker", ADA);
    expect(await talk.ask("!stop build docker", ADA)).toEqual(["docker has #2, #3 under way; name one: !cancel 2"]);
    expect(await talk.ask("!stop build 2", ADA)).toEqual(["■ docker #2 taken out of the line"]);
    expect((await talk.ask("!stop build dokcer", ADA))[0]).toMatch(/^no project "dokcer"\. Did you mean docker\?/);
  });
});

describe("status, last, watch", () => {
  test("take all, and a project", async () => {
    await using records = await team();
    const talk = openTalk(records);
    await end(records, "hello", failed);
    await end(records, "docker", passed);
    for (const verb of ["status", "last"]) {
      expect(await talk.ask(`!${verb} all`)).toEqual(await talk.ask(`!${verb}`));
      expect((await talk.ask(`!${verb} hello`))[0]).toMatch(/^✘ hello #1 failed/);
    }
    expect(await talk.ask("!watch hello")).toEqual(["nothing of hello runs or waits."]);
    await records.begin(await records.create("hello"));
    await records.create("hello");
    expect(await talk.ask("!watch hello")).toEqual(["● you will hear how hello #3, #4 end"]);
    expect(await talk.ask("!watch 3")).toEqual(["● you will hear how hello #3 ends"]);
    expect(await records.redis.commands.exists("docker-ci:watch:3", "docker-ci:watch:4")).toBe(2);
  });
});
