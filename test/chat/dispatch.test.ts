/** From a line in a chat to the answer in it, with real records behind it. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { type Command, defineCommand } from "../../src/chat/command.ts";
import { say } from "../../src/chat/reply.ts";
import type { Role } from "../../src/config.ts";
import { RuntimeError, UserError } from "../../src/errors.ts";
import { deferred } from "../../src/lifecycle.ts";
import { connectRedis } from "../../src/queue/redis.ts";
import { CONFIG, configOf, openRecords } from "../support/records.ts";
import { startForeignRedis } from "../support/redis.ts";
import { openTalk } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const TEAM = `${CONFIG}
irc: [{ name: fake, host: localhost, channels: ["#dev"] }]
people:
  ada: { irc: fake/ada, roles: developer }
  root: { irc: fake/root, roles: admin }
`;
const team = () => openRecords(configOf(TEAM));

/** A command `!do` that does this. */
function doing(run: () => Promise<string> | string, role?: Role): Command {
  return defineCommand({
    name: "do",
    summary: "Does it.",
    examples: ["!do"],
    ...(role === undefined ? {} : { role }),
    args: z.strictObject({}),
    run: async () => say("info", [await run()]),
  });
}

afterEach(() => {
  vi.useRealTimers();
});

describe("what is no command", () => {
  test.each(["hello", "> !build hello", "is it `!build hello`?", "!!!", ""])("%j is not answered", async (text) => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.say(text)).toBe("ignored");
    expect(talk.chat.sent).toEqual([]);
  });
});

describe("what cannot be understood", () => {
  test.each([
    ["!biuld docker", 'no command "biuld". Did you mean !build? !help lists them.'],
    ["!xyzzy", 'no command "xyzzy". !help lists them.'],
    // The name of a project, said alone.
    ["!docker-registry", 'no command "docker-registry". Did you mean !build docker-registry? !help lists them.'],
    ["!log", "!log <build> [lines or /pattern/], for example !log 43 or !log 43 20 or !log 43 /panic/"],
    ["!log abc", `"abc" is not a build's number, such as 43. !log <build> [lines or /pattern/], for example !log 43`],
    ["!queue now", 'one word too many: "now". !queue'],
    [
      "!rebuild 43 everything",
      '"everything" is not "failed", the one word that may follow. !rebuild <build> [failed] [--keep=time], for example !rebuild 43',
    ],
    [
      "!build hello a..b",
      '"a..b" is not a branch, tag or commit name. !build <project> [branch, tag, commit or PR#12] [key=value…] [--keep=time], for example !build docker-registry',
    ],
    ["!build dokcer", 'no project "dokcer". Did you mean docker? There are docker, docker-registry, hello.'],
    [`!build ${"x".repeat(400)}`, `no project "${"x".repeat(59)}…". There are docker, docker-registry, hello.`],
    ["!subscribe hello constructor", '"constructor" is no event. There are broken, fixed, errored, every.'],
    [
      `!cancel 1 ${"x".repeat(300)}`,
      `"${"x".repeat(59)}…" is not a reason of at most 200 characters. !cancel <build or project> [reason…], for example !cancel 43`,
    ],
    ["!drain big-2", 'no worker "big-2" is up. Did you mean big-1? There is big-1.'],
    ["!help dokcer", 'no command "dokcer". !help lists them.'],
    ["!build ../../etc", 'no project "../../etc". There are docker, docker-registry, hello.'],
    ["!build docker mian", 'docker has no branch, tag or commit "mian". All: https://ci.example.org/projects/docker'],
    [
      "!build docker master",
      'docker has no branch, tag or commit "master". Nearest: main. All: https://ci.example.org/projects/docker',
    ],
    ["!rebuild 43", "there is no build #43. There are none yet."],
  ])("%s", async (line, expected) => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.say(line, { account: "ada" })).toBe("refused");
    expect(talk.chat.lines()).toEqual([`ada: ${expected}`]);
    expect(records.entries(40)).toEqual([]);
  });

  test("with another prefix, the usage line and the examples have that one", async () => {
    await using records = await openRecords(configOf(`${TEAM}prefix: "."\n`));
    const [line] = await openTalk(records).ask(".cancel", { account: "ada" });
    expect(line).toBe(
      ".cancel <build or project> [reason…], for example .cancel 43 or .cancel 43 superseded by 44 or .cancel docker",
    );
  });

  // O-76: addressed by name, in private, by the original's words
  test("a command is found in any case, by its other names, by the bot's name, and in private without a prefix", async () => {
    await using records = await team();
    const talk = openTalk(records);
    for (const [line, kind] of [
      ["!STATUS", "channel"],
      ["docker-ci: status", "channel"],
      ["status", "direct"],
    ] as const) {
      expect(await talk.ask(line, { kind })).toEqual(["nothing runs or waits · broken: none · https://ci.example.org"]);
    }
    expect((await talk.ask("!commands"))[0]).toMatch(/^everyone: /);
  });
});

describe("who may", () => {
  test("a stranger is told which role it takes and how to get it, and nothing was done", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.say("!build hello", { nick: "mallory" })).toBe("refused");
    expect(talk.chat.lines()).toEqual([
      'mallory: !build takes the role developer. I do not know you: log in to services (/msg NickServ IDENTIFY), then ask an admin to add "fake/<your account>".',
    ]);
    expect(await talk.ask("!shutdown", { account: "ada" })).toEqual([
      "!shutdown takes the role admin. Ask an admin to give ada that role.",
    ]);
    expect([await records.store.latest(1), talk.stoppedBy]).toEqual([[], []]);
  });

  test("an admin may do what a developer may, and a nick that looks like one may not", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.say("!build hello", { account: "root" })).toBe("answered");
    expect(await talk.say("!build hello", { nick: "root" })).toBe("refused");
    expect(await records.store.latest(5)).toHaveLength(1);
  });
});

test("what everybody may do in a room and nobody in private is said to be so", async () => {
  await using records = await openRecords(configOf(`${TEAM}default_roles: [developer]\n`));
  const talk = openTalk(records);
  expect(await talk.say("!build hello", { nick: "mallory" })).toBe("answered");
  expect(await talk.ask("build hello", { nick: "mallory", kind: "direct" })).toEqual([
    "!build takes the role developer. Everybody has it in the rooms that I am configured for: say it there.",
  ]);
  expect((await talk.ask("shutdown", { nick: "mallory", kind: "direct" }))[0]).toContain("I do not know you");
});

describe("a message that is delivered twice", () => {
  test("does what it changes once, and is answered once", async () => {
    await using records = await team();
    const talk = openTalk(records);
    const both = await Promise.all([
      talk.say("!build hello", { account: "ada", id: "m1" }),
      talk.say("!build hello", { account: "ada", id: "m1" }),
    ]);
    expect(both.toSorted()).toEqual(["answered", "ignored"]);
    expect(await records.store.latest(5)).toHaveLength(1);
    expect(talk.chat.sent).toHaveLength(1);
    await talk.say("!build hello", { account: "ada", id: "m2" });
    expect(await records.store.latest(5)).toHaveLength(2);
  });

  test("a question is answered every time: nothing comes of it", async () => {
    await using records = await team();
    const talk = openTalk(records);
    for (const line of ["!status", "!status"]) await talk.say(line, { id: "m1" });
    expect(talk.chat.sent).toHaveLength(2);
  });
});

describe("what goes wrong", () => {
  test.each([
    [new UserError("#43 is not over yet."), "refused", "#43 is not over yet.", 0],
    [
      new RuntimeError("cannot reach https://example.org: no such host"),
      "failed",
      "▲ cannot reach https://example.org: no such host",
      1,
    ],
  ] as const)("%s is said as it is", async (error, handled, line, logged) => {
    await using records = await team();
    const fails = doing(() => {
      throw error;
    });
    const talk = openTalk(records, { commands: [fails] });
    expect(await talk.say("!do")).toBe(handled);
    expect(talk.chat.lines()).toEqual([`ada: ${line}`]);
    expect(records.entries(50)).toHaveLength(logged);
  });

  test("a fault of ours gets a number in the room, and one line with that number and its cause in the log", async () => {
    await using records = await team();
    const fails = doing(() => {
      throw new TypeError("undefined is not a function", { cause: new Error("the cause") });
    });
    const talk = openTalk(records, { commands: [fails] });
    expect(await talk.say("!do", { account: "ada" })).toBe("failed");
    const [, incident] =
      /^ada: ▲ That went wrong on my side \(([0-9a-f]{6})\); the log has the details\.$/.exec(
        talk.chat.lines()[0] ?? "",
      ) ?? [];
    expect(incident).toBeDefined();
    expect(records.entries(40)).toMatchObject([
      { msg: "command failed", incident, command: "do", room: "fake/#dev", speaker: "ada", account: "ada" },
    ]);
    expect(JSON.stringify(records.entries(50))).toContain("the cause");
  });

  test("a record that cannot be read is a fault of ours, and not of the one who asked", async () => {
    await using records = await team();
    const reads = doing(() => z.string().parse({ number: 1 }));
    const talk = openTalk(records, { commands: [reads] });
    expect((await talk.ask("!do"))[0]).toMatch(/^▲ That went wrong on my side/);
  });

  test("without Redis it is said so, and the process goes on and answers again when Redis is back", async () => {
    await using records = await team();
    await using server = await startForeignRedis(["--appendonly", "yes"]);
    await using away = await connectRedis(configOf(`redis: ${server.url}`), records.log);
    await server.stop();
    const asks = doing(async () => away.commands.ping());
    const talk = openTalk(records, { commands: [asks] });
    expect(await talk.say("!do")).toBe("failed");
    expect(talk.chat.lines()).toEqual([
      "ada: ▲ Redis does not answer, so nothing was done. Try again in a minute; the log has the details.",
    ]);

    const real = openTalk(records);
    process.kill(await records.pid(), "SIGKILL");
    await waitFor("an answer", async () => /nothing runs or waits/.test((await real.ask("!status"))[0] ?? ""));
  });

  test("an answer that cannot be delivered is a line in the log, no more", async () => {
    await using records = await team();
    const talk = openTalk(records);
    talk.chat.leave();
    expect(await talk.say("!status")).toBe("answered");
    expect(records.entries(40)).toMatchObject([{ msg: "an answer could not be delivered", command: "status" }]);
  });
});

describe("while it takes long", () => {
  test("a person is told after two and a half seconds, once, and then gets the answer", async () => {
    await using records = await team();
    const done = deferred<string>();
    const talk = openTalk(records, { commands: [doing(() => done.promise)] });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const handled = talk.say("!do");
    vi.advanceTimersByTime(2_499);
    expect(talk.chat.lines()).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(talk.chat.lines()).toEqual(["ada: working on !do…"]);
    done.resolve("done");
    expect(await handled).toBe("answered");
    expect(talk.chat.lines()).toEqual(["ada: working on !do…", "ada: done"]);
  });

  test("what is quick is not announced", async () => {
    await using records = await team();
    const talk = openTalk(records, { commands: [doing(() => "done")] });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await talk.say("!do");
    vi.advanceTimersByTime(60_000);
    expect(talk.chat.lines()).toEqual(["ada: done"]);
  });
});

test("while docker-ci stops, commands are answered with that, and nothing is begun", async () => {
  await using records = await team();
  const talk = openTalk(records);
  talk.dispatcher.refuseAll("docker-ci is stopping.");
  expect(await talk.ask("!build hello", { account: "ada" })).toEqual(["docker-ci is stopping."]);
  expect(await records.store.latest(1)).toEqual([]);
  talk.dispatcher.refuseAll(undefined);
  expect(await talk.say("!build hello", { account: "ada" })).toBe("answered");
});
