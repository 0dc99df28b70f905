/** The digest after a long outage: one message that tells the latest of everything, and that loses no answer. */
import { describe, expect, test } from "vitest";
import type { Outgoing } from "../../src/chat/chat.ts";
import { line, say } from "../../src/chat/reply.ts";
import { startOutbox } from "../../src/queue/outbox.ts";
import { type OutboxEntry, outboxKey } from "../../src/queue/outbox-entry.ts";
import { createOutboxLists } from "../../src/queue/outbox-lists.ts";
import { pushOutbox } from "../../src/queue/push.ts";
import { FakeChat } from "../support/fake-chat.ts";
import { ago, clock } from "../support/records.ts";
import { openRedis, type TestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const URL = "https://ci.example.org";
const chat = new FakeChat();
const ROOM = chat.room("#dev");

/** News of a project: `docker broken`. */
function notice(secondsAgo: number, text: string, changes: Partial<Outgoing> = {}): OutboxEntry {
  const [about = ""] = text.split(" ");
  const tone = text.includes("broken") ? "failed" : "passed";
  return {
    id: `${text} ${secondsAgo}`,
    at: ago(secondsAgo),
    about,
    outgoing: { room: ROOM, reply: say(tone, [text, "a detail"], `${URL}/builds/1`), priority: "notice", ...changes },
  };
}

function deliver({ redis, log }: TestRedis, to: FakeChat) {
  return startOutbox(redis.commands, redis.open, new Map([[to.network, to]]), log, { url: URL, clock });
}

/** What a room hears of entries that waited for it, an hour or so, till now. */
async function heardOf(entries: readonly OutboxEntry[]): Promise<string[]> {
  await using server = await openRedis();
  const fake = new FakeChat();
  await pushOutbox(server.redis.commands, entries);
  await using outbox = deliver(server, fake);
  await outbox.drained("fake", AbortSignal.timeout(10_000));
  return fake.lines();
}

const numbered = (count: number, secondsAgo: number): OutboxEntry[] =>
  Array.from({ length: count }, (_, index) => notice(secondsAgo - index, `hello passed ${index + 1}`));

describe("a flood of old notices", () => {
  test("becomes one message with the latest of each thing, what is broken first", async () => {
    const told = await heardOf([
      notice(7_800, "docker-registry broken by #43"),
      ...numbered(7, 7_000),
      notice(600, "docker broken by #46"),
      notice(300, "docker-registry fixed by #45"),
    ]);
    expect(told).toEqual([
      "while I was away (2h10m): 10 notices · https://ci.example.org",
      "✘ docker broken by #46 · a detail · https://ci.example.org/builds/1",
      "✔ hello passed 7 · a detail · the last of 7 · https://ci.example.org/builds/1",
      "✔ docker-registry fixed by #45 · a detail · the last of 2 · https://ci.example.org/builds/1",
    ]);
  });

  test("of many things is three lines and one that names the others", async () => {
    const told = await heardOf(
      "abcdefghij".split("").map((name) => notice(7_200, `${name} ${name === "g" ? "broken" : "fine"}`)),
    );
    expect(told).toEqual([
      "while I was away (2h00m): 10 notices · https://ci.example.org",
      "✘ g broken · a detail · https://ci.example.org/builds/1",
      "✔ a fine · a detail · https://ci.example.org/builds/1",
      "✔ b fine · a detail · https://ci.example.org/builds/1",
      "and · ✔ c fine · ✔ d fine · ✔ e fine · ✔ f fine · ✔ h fine · ✔ i fine · ✔ j fine",
    ]);
  });

  test("leaves every answer, and what is said to one person, whole and in order", async () => {
    const answer = notice(3_000, "for ada", { priority: "answer", to: "ada", reply: say("info", ["your build"]) });
    const named = notice(2_000, "for bob", { to: "bob", reply: say("info", ["your watch"]) });
    const told = await heardOf([answer, ...numbered(5, 2_900), named, ...numbered(5, 1_900), answer]);
    expect(told.map((text) => text.split(" · ")[0])).toEqual([
      "ada: your build",
      "while I was away (48m): 10 notices",
      "✔ hello passed 5",
      "bob: your watch",
      "ada: your build",
    ]);
  });

  test.each([
    ["are few", numbered(8, 7_200), 8],
    ["are young", numbered(20, 600), 20],
    [
      "are for one person",
      numbered(20, 7_200).map((entry) => ({
        ...entry,
        outgoing: { ...entry.outgoing, room: chat.room("ada", "direct") },
      })),
      20,
    ],
  ])("is said one by one where they %s", async (_name, entries, count) => {
    expect(await heardOf(entries)).toHaveLength(count);
  });

  test("goes by topic, then by key, where an entry does not say what it is about", async () => {
    const told = await heardOf([
      ...numbered(8, 7_200).map(({ about: _, ...entry }) => entry),
      ...["broken", "fixed"].map((text): OutboxEntry => {
        const reply = { lines: [line("info", [text])], topic: "incident-43" };
        return { id: text, at: ago(100), outgoing: { room: ROOM, reply, priority: "notice" } };
      }),
    ]);
    expect(told[0]).toBe("while I was away (2h00m): 10 notices · https://ci.example.org");
    expect(told.at(-1)).toContain("fixed");
    expect(told.join("\n")).not.toContain("broken");
  });
});

describe("while nothing can be said", () => {
  test("nothing is folded before the chat is back, and a digest takes in what comes after it", async () => {
    await using server = await openRedis();
    const fake = new FakeChat();
    fake.leave();
    await pushOutbox(server.redis.commands, numbered(9, 7_200));
    await using outbox = deliver(server, fake);
    await waitFor("a try", () => fake.tries > 0);
    expect(await server.redis.commands.llen(outboxKey(ROOM))).toBe(9);
    // It is back, but not in the room: what waits is folded, and still waits.
    fake.closedRooms.add("#dev");
    fake.comeBack();
    await waitFor("a digest", async () => (await server.redis.commands.llen(outboxKey(ROOM))) === 1);
    await pushOutbox(server.redis.commands, [notice(60, "docker broken by #9")]);
    fake.closedRooms.clear();
    fake.comeBack();
    await outbox.drained("fake", AbortSignal.timeout(10_000));
    expect(fake.lines().map((text) => text.split(" · ")[0])).toEqual([
      "while I was away (2h00m): 10 notices",
      "✘ docker broken by #9",
      "✔ hello passed 9",
    ]);
  });

  test("what is added while a digest is made is not lost, nor is a list that changed under it touched", async () => {
    await using server = await openRedis();
    const lists = createOutboxLists(server.redis.commands);
    const list = outboxKey(ROOM);
    await server.redis.commands.rpush(list, "a", "b", "c");
    expect(await lists.replace(list, ["a", "b"], ["digest"])).toBe(true);
    expect(await lists.all(list)).toEqual(["digest", "c"]);
    expect(await lists.replace(list, ["a", "c"], ["digest"])).toBe(false);
    expect(await lists.replace(list, ["digest", "c", "d"], ["digest"])).toBe(false);
    expect(await lists.all(list)).toEqual(["digest", "c"]);
  });
});
