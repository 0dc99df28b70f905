/** Accounts of one person: stories of ada, who has two, and of mallory, who would like to have hers. */
import { describe, expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import type { Clock } from "../../src/clock.ts";
import { CONFIG, clock, configOf, NOW, openRecords, type Records } from "../support/records.ts";
import { openTalk, type Said, type Talk } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const TEAM = `${CONFIG}
irc: [{ name: libera, host: localhost, channels: ["#dev"] }]
slack: [{ name: work, bot_token: xoxb-1, app_token: xapp-1, channels: [C1] }]
people:
  ada: { irc: libera/ada, roles: developer }
  bob: { slack: work/U0BOB, roles: approver }
  root: { irc: libera/root, roles: admin }
`;
const ADA: Said = { account: "ada", nick: "ada", room: "ada", kind: "direct" };
const ADA_SLACK: Said = { account: "U0ADA", nick: "Ada L.", room: "D1", kind: "direct" };
const BOB: Said = { account: "U0BOB", nick: "bob", room: "D2", kind: "direct" };
const MALLORY: Said = { account: "mallory", nick: "mallory", room: "mallory", kind: "direct" };
const MALLORY_SLACK: Said = { account: "U0MAL", nick: "ada", room: "D3", kind: "direct" };
const ROOT: Said = { account: "root", nick: "root", room: "#dev" };
const WRONG = "That code is wrong, used or too old: begin again with “link”.";

interface Town extends AsyncDisposable {
  readonly records: Records;
  readonly libera: Talk;
  readonly work: Talk;
  /** How far it is past noon. */
  later(minutes: number): void;
  /** The same docker-ci after it was started again. */
  again(): { libera: Talk; work: Talk };
}

async function openTown(config = TEAM): Promise<Town> {
  const records = await openRecords(configOf(config));
  let past = 0;
  const time: Clock = { now: () => new Date(NOW.getTime() + past * 60_000) };
  const again = (): { libera: Talk; work: Talk } => {
    const work = openTalk(records, { network: "work", time });
    return { libera: openTalk(records, { network: "libera", time, beside: [work.chat] }), work };
  };
  return {
    records,
    ...again(),
    again,
    later(minutes) {
      past += minutes;
    },
    [Symbol.asyncDispose]: () => records[Symbol.asyncDispose](),
  };
}

/** The code in the first line of an answer. */
async function codeFrom(talk: Talk, text: string, who: Said): Promise<string> {
  const [line = ""] = await talk.ask(text, who);
  const [code] = /[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(line) ?? [];
  if (code === undefined) throw new Error(`there is no code in: ${line}`);
  return code;
}

async function linkAda({ libera, work }: Pick<Town, "libera" | "work">): Promise<string[]> {
  const first = await codeFrom(libera, "link", ADA);
  const second = await codeFrom(work, `link ${first}`, ADA_SLACK);
  return libera.ask(`link ${second}`, ADA);
}

const roles = async (talk: Talk, who: Said): Promise<string> =>
  (await talk.ask("whoami", { ...who, kind: "direct" })).join(" ");

describe("ada, on IRC and in Slack", () => {
  test("carries a code each way, and is one person from then on", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    expect(await roles(work, ADA_SLACK)).toBe(
      'U0ADA: you are work/U0ADA, which nobody in people: has · no roles: you may ask, not act · Ask an admin to add "work/U0ADA" to people:, or say !link to me in private on a network where I know you.',
    );
    const [asked = ""] = await libera.ask("link", ADA);
    expect(asked).toMatch(
      /^(\S{9}): say !link \1 to me in private from your other account, within 10 minutes · there I give you a second code, to be said here$/,
    );
    const first = asked.slice(0, 9);
    const answer = await work.ask(`link ${first}`, ADA_SLACK);
    const [, second = ""] = /say !link (\S{9}) there/.exec(answer[0] ?? "") ?? [];
    expect(answer).toEqual([
      `libera/ada asked for that code · if libera/ada is you too, say !link ${second} there, in private, within 10 minutes`,
      `Give ${second} to nobody: with it libera/ada is you, and may do what you may.`,
    ]);
    const done = "libera/ada and work/U0ADA are one person now: ada · roles: developer · !unlink work/U0ADA undoes it";
    expect(await libera.ask(`link ${second}`, ADA)).toEqual([done]);
    await waitFor("the other side to hear of it", () => work.chat.lines("D1").includes(`Ada L.: ${done}`));
    expect(await roles(work, ADA_SLACK)).toBe(
      "ada: you are work/U0ADA, linked with libera/ada, which is ada in people: · linked: libera/ada · roles: developer",
    );
    expect(await roles(libera, ADA)).toContain("linked: work/U0ADA");
  });

  test("may do on either side what people: says, through the dispatcher, and loses it when the link is cut", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    const inChannel = { ...ADA_SLACK, kind: "channel", room: "C1" } as const;
    expect(await work.say("!build hello", inChannel)).toBe("refused");
    await linkAda(town);
    expect(await work.say("!build hello", inChannel)).toBe("answered");
    expect((await town.records.store.latest(1))[0]).toMatchObject({ requester: { name: "ada", network: "work" } });
    expect(await libera.ask("!unlink work/u0ada", ROOT)).toEqual(["work/u0ada is no longer linked with libera/ada"]);
    expect(await work.say("!build hello", inChannel)).toBe("refused");
  });

  test("is still one person after a restart of docker-ci", async () => {
    await using town = await openTown();
    await linkAda(town);
    expect(await roles(town.again().work, ADA_SLACK)).toContain("roles: developer");
  });

  test("may begin on the side that is not known, in small letters and without the dash", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    const first = await codeFrom(work, "link", ADA_SLACK);
    const second = await codeFrom(libera, `link ${first.toLowerCase().replace("-", "")}`, ADA);
    expect((await work.ask(`link ${second}`, ADA_SLACK))[0]).toContain("are one person now: ada");
    expect(await roles(work, ADA_SLACK)).toContain("roles: developer");
  });

  test("cuts her own account, and nobody else's", async () => {
    await using town = await openTown();
    await linkAda(town);
    expect(await town.libera.ask("!unlink work/U0ADA", MALLORY)).toEqual([
      "You can cut accounts of your own; other people's take the role admin.",
    ]);
    expect(await town.work.ask("!unlink libera/ada", { nick: "ada" })).toEqual([
      "You can cut accounts of your own; other people's take the role admin.",
    ]);
    expect(await town.work.ask("!unlink work/U0ADA", ADA_SLACK)).toEqual([
      "work/U0ADA is no longer linked with libera/ada",
    ]);
    expect(await town.libera.ask("!unlink work/U0ADA", ROOT)).toEqual(['"work/U0ADA" is not linked with any account.']);
    expect(await town.libera.ask("!unlink ada", ROOT)).toEqual(['"ada" is no account such as libera/ada.']);
    expect(await roles(town.work, ADA_SLACK)).toContain("no roles");
  });

  test("is not linked twice", async () => {
    await using town = await openTown();
    await linkAda(town);
    const first = await codeFrom(town.libera, "link", ADA);
    expect(await town.work.ask(`link ${first}`, ADA_SLACK)).toEqual([
      "libera/ada and work/U0ADA are one person's already: ada.",
    ]);
  });
});

test("when nobody can tell who is linked, questions are answered, and nobody acts on the strength of a link", async () => {
  await using town = await openTown();
  await town.records.redis.commands.set("docker-ci:links", "nonsense");
  expect(await town.work.say("!status", ADA_SLACK)).toBe("answered");
  expect(await town.work.say("!build hello", ADA_SLACK)).toBe("failed");
  expect(await town.libera.say("!build hello", ADA)).toBe("answered");
  expect(town.records.entries(40)).toMatchObject([
    { msg: "could not read which accounts are linked" },
    { msg: "command failed" },
  ]);
});

describe("people whom people: does not name", () => {
  test("are one person with one name and without roles, and get them once it names one of their accounts", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    const carol: Said = { account: "carol", nick: "c", room: "c", kind: "direct" };
    const first = await codeFrom(work, "link", MALLORY_SLACK);
    const second = await codeFrom(libera, `link ${first}`, carol);
    expect((await work.ask(`link ${second}`, MALLORY_SLACK))[0]).toContain("are one person now: carol · no roles");
    expect(await roles(work, MALLORY_SLACK)).toMatch(/^carol: .*linked: libera\/carol · no roles/);
    await using other = await openRecords(configOf(TEAM.replace("libera/ada,", "[libera/ada, libera/carol],")));
    await other.redis.commands.set("docker-ci:links", (await town.records.redis.commands.get("docker-ci:links")) ?? "");
    expect(await roles(openTalk(other, { network: "work" }), MALLORY_SLACK)).toMatch(
      /which is ada in people: .*roles: developer/,
    );
  });

  test("an admin sees who is linked", async () => {
    await using town = await openTown();
    expect(await town.libera.ask("!links", ROOT)).toEqual(["no accounts are linked"]);
    await linkAda(town);
    town.later(6);
    expect(await town.libera.ask("!links", ROOT)).toEqual(["ada: libera/ada, work/U0ADA · since 6m ago"]);
    expect(await town.libera.say("!links", ADA)).toBe("refused");
  });

  test("links that lead to two people since people: was changed give no right", async () => {
    await using town = await openTown();
    await linkAda(town);
    const both = TEAM.replace("slack: work/U0BOB", "slack: [work/U0BOB, work/U0ADA]");
    await using changed = await openRecords(configOf(both));
    const groups = [
      [
        { network: "libera", account: "ada", since: NOW.toISOString() },
        { network: "work", account: "U0ADA", since: NOW.toISOString() },
        { network: "work", account: "U0X", since: NOW.toISOString() },
      ],
    ];
    await changed.redis.commands.set("docker-ci:links", JSON.stringify(groups));
    const work = openTalk(changed, { network: "work" });
    expect(await roles(work, ADA_SLACK)).toMatch(/^bob: you are work\/U0ADA, which is bob in people:.*roles: approver/);
    expect(await roles(work, { ...ADA_SLACK, account: "U0X" })).toMatch(
      /^U0X: you are work\/U0X, which is linked with ada and with bob, so it is neither's .*no roles/,
    );
  });
});

describe("mallory", () => {
  test("says the code that ada let others see, and gets nothing by it", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    const stolen = await codeFrom(libera, "link", ADA);
    const second = await codeFrom(work, `link ${stolen}`, MALLORY_SLACK);
    for (const who of [MALLORY_SLACK, ADA_SLACK]) expect(await work.ask(`link ${second}`, who)).toEqual([WRONG]);
    expect(await roles(work, MALLORY_SLACK)).toContain("no roles");
    // Ada's own try then shows her that it was used.
    expect(await work.ask(`link ${stolen}`, ADA_SLACK)).toEqual([WRONG]);
    expect(await town.records.redis.commands.get("docker-ci:links")).toBeNull();
  });

  test("talks ada into saying a code of hers, and ada reads what would come of it", async () => {
    await using town = await openTown();
    const code = await codeFrom(town.libera, "link", MALLORY);
    const [asked, warning] = await town.libera.ask(`link ${code}`, ADA);
    expect(asked).toMatch(/^libera\/mallory asked for that code · if libera\/mallory is you too, /);
    expect(warning).toMatch(/^Give .* to nobody: with it libera\/mallory is you, and may do what you may\.$/);
    expect(await roles(town.libera, MALLORY)).toContain("no roles");
  });

  test.each<[string, Said, string]>([
    ["in a channel", { ...ADA, room: "#dev", kind: "channel" }, "That is between us: say it to me in private"],
    ["by a nick that is not logged in", { nick: "ada", room: "ada", kind: "direct" }, "I link accounts, not nicks"],
    ["in the terminal", { nick: "root", trusted: true, kind: "direct" }, "This terminal may do everything already"],
  ])("finds no code to steal: none is given %s", async (_name, who, answer) => {
    await using town = await openTown();
    expect((await town.libera.ask("!link", who))[0]).toContain(answer);
    const first = await codeFrom(town.libera, "link", ADA);
    // And none is used up there.
    expect((await town.libera.ask(`!link ${first}`, who))[0]).toContain(answer);
    expect((await town.work.ask(`link ${first}`, ADA_SLACK))[0]).toContain("libera/ada asked for that code");
  });

  test("takes ada's nick, her display name, or speaks through a relay, and is mallory", async () => {
    await using town = await openTown();
    await linkAda(town);
    const { libera, work } = town;
    expect(await libera.say("!build hello", { nick: "ada" })).toBe("refused");
    expect(await libera.say("!build hello", { nick: "ada", account: "mallory" })).toBe("refused");
    expect(await work.say("!build hello", { nick: "Ada L.", account: "U0MAL" })).toBe("refused");
    expect(await libera.say("<ada> !build hello", { nick: "relay", account: "relay" })).toBe("ignored");
    expect(await libera.say("!build hello", { nick: "relay", account: "relay" })).toBe("refused");
    expect(await town.records.store.latest(5)).toEqual([]);
  });

  test("guesses five times in ten minutes, not more, and then not even the right one", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    for (let n = 0; n < 5; n += 1) expect(await work.ask("link AAAA-AAAA", MALLORY_SLACK)).toEqual([WRONG]);
    const code = await codeFrom(libera, "link", MALLORY);
    const tooMany = ["5 wrong codes came from this account: try again in 10 minutes."];
    expect(await work.ask(`link ${code}`, MALLORY_SLACK)).toEqual(tooMany);
    expect(await work.ask(`link ${code}`, { ...MALLORY_SLACK, account: "u0mal" })).toEqual(tooMany);
    // Others are not kept from it, and neither is mallory for ever.
    expect((await work.ask(`link ${code}`, ADA_SLACK))[0]).toContain("libera/mallory asked for that code");
    town.later(10);
    expect(await work.ask("link AAAA-AAAA", MALLORY_SLACK)).toEqual([WRONG]);
  });

  test("guesses fifty times at once, and five of them count", async () => {
    await using town = await openTown();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_none, index) => town.work.say(`link AAAA-AAA${index % 10}`, MALLORY_SLACK)),
    );
    expect(new Set(answers)).toEqual(new Set(["refused"]));
    const wrong = town.work.chat.lines().filter((line) => line.endsWith(WRONG));
    expect(wrong.length).toBeLessThanOrEqual(5);
  });
});

describe("a code", () => {
  test("is no good after ten minutes", async () => {
    await using town = await openTown();
    const first = await codeFrom(town.libera, "link", ADA);
    town.later(9);
    const second = await codeFrom(town.work, `link ${first}`, ADA_SLACK);
    town.later(10);
    expect(await town.libera.ask(`link ${second}`, ADA)).toEqual([WRONG]);
    const late = await codeFrom(town.libera, "link", ADA);
    town.later(10);
    expect(await town.work.ask(`link ${late}`, ADA_SLACK)).toEqual([WRONG]);
  });

  test("is good once, is replaced by the next, and is for the other account to say", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    const old = await codeFrom(libera, "link", ADA);
    const first = await codeFrom(libera, "link", ADA);
    expect(await work.ask(`link ${old}`, ADA_SLACK)).toEqual([WRONG]);
    expect(await libera.ask(`link ${first}`, ADA)).toEqual([
      "That code is for your other account to say: this one asked for it.",
    ]);
    const second = await codeFrom(work, `link ${first}`, ADA_SLACK);
    expect(await work.ask(`link ${first}`, ADA_SLACK)).toEqual([WRONG]);
    expect((await libera.ask(`link ${second}`, ADA))[0]).toContain("are one person now");
    expect(await libera.ask(`link ${second}`, ADA)).toEqual([WRONG]);
  });

  test("is nowhere in Redis, in the log or in the audit log, and expires there", async () => {
    await using town = await openTown();
    const { libera, work, records } = town;
    const first = await codeFrom(libera, "link", ADA);
    const second = await codeFrom(work, `link ${first}`, ADA_SLACK);
    const redis = records.redis.commands;
    const keys = (await redis.keys("docker-ci:*")).toSorted();
    const kept: string[] = [];
    for (const key of keys) {
      const type = await redis.type(key);
      kept.push(
        key,
        type === "string" ? ((await redis.get(key)) ?? "") : "",
        type === "list" ? (await redis.lrange(key, 0, -1)).join() : "",
      );
      if (/links:(code|asked|tries)/.test(key)) expect(await redis.ttl(key)).toBeGreaterThan(0);
    }
    const everything = [...kept, JSON.stringify(records.entries())].join("\n");
    for (const code of [first, second]) {
      expect(everything).not.toContain(code);
      expect(everything).not.toContain(code.replace("-", ""));
    }
  });
});

describe("two people of people:", () => {
  test("are never joined, not even by way of a third account", async () => {
    await using town = await openTown();
    const { libera, work } = town;
    const refusal = /are different people: only an admin can change that, in people:\.$/;
    const direct = await codeFrom(libera, "link", ADA);
    expect((await work.ask(`link ${direct}`, BOB))[0]).toMatch(refusal);
    await linkAda(town);
    const around = await codeFrom(work, "link", ADA_SLACK);
    expect((await work.ask(`link ${around}`, BOB))[0]).toMatch(refusal);
    expect(await roles(work, BOB)).not.toContain("linked");
  });
});

test("the audit log has every link and cut, with who said it where", async () => {
  await using town = await openTown();
  await linkAda(town);
  await town.libera.say("!unlink work/U0ADA", ROOT);
  const entries = await createAudit(town.records.redis.commands, clock).latest(20);
  expect(
    entries.map(({ who, account, room, action, detail, outcome }) => [who, account, room, action, detail, outcome]),
  ).toEqual([
    ["root", "libera/root", "libera/#dev", "unlink", "work/U0ADA", "accepted"],
    ["ada", "libera/ada", "libera/ada", "linked", "libera/ada and work/U0ADA", "accepted"],
    ["ada", "libera/ada", "libera/ada", "link", "…", "accepted"],
    ["U0ADA", "work/U0ADA", "work/D1", "link", "…", "accepted"],
    ["ada", "libera/ada", "libera/ada", "link", "", "accepted"],
  ]);
});
