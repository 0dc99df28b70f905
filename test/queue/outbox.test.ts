/** The outbox: what docker-ci says by itself reaches its room, in order, once the network has taken it. */
import { describe, expect, test } from "vitest";
import type { Room } from "../../src/chat/message.ts";
import { say } from "../../src/chat/reply.ts";
import { startOutbox } from "../../src/queue/outbox.ts";
import { OUTBOX_CHANNEL, OUTBOX_ROOMS, type OutboxEntry, outboxKey } from "../../src/queue/outbox-entry.ts";
import { FakeChat } from "../support/fake-chat.ts";
import { ago, openRecords } from "../support/records.ts";
import { openRedis, type TestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

/** Puts a line up for a room, as the script that ends a build does. */
async function put({ redis }: TestRedis, room: Room, text: string): Promise<void> {
  const entry: OutboxEntry = {
    id: text,
    at: ago(0),
    outgoing: { room, reply: say("info", [text]), priority: "notice" },
  };
  await putRaw(redis.commands, room, JSON.stringify(entry));
}

async function putRaw(redis: TestRedis["redis"]["commands"], room: Room, json: string): Promise<void> {
  const list = outboxKey(room);
  await redis.multi().rpush(list, json).sadd(OUTBOX_ROOMS, list).publish(OUTBOX_CHANNEL, list).exec();
}

function deliver({ redis, log }: TestRedis, ...chats: readonly FakeChat[]) {
  return startOutbox(redis.commands, redis.open, new Map(chats.map((chat) => [chat.network, chat])), log);
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

describe("delivery", () => {
  test("lines of one room come in order, and others are not waited for", async () => {
    await using server = await openRedis();
    const chat = new FakeChat();
    await using _outbox = deliver(server, chat);
    for (const text of numbered(50)) {
      await put(server, chat.room("#a"), text);
      await put(server, chat.room("#b"), text);
    }
    await chat.delivered(100);
    expect([chat.lines("#a"), chat.lines("#b")]).toEqual([numbered(50), numbered(50)]);
    expect(await server.redis.commands.llen(outboxKey(chat.room("#a")))).toBe(0);
  });

  test("the end of a build reaches the room that asked, addressed to the one who did", async () => {
    await using records = await openRecords();
    const chat = new FakeChat();
    await using _outbox = deliver(records, chat);
    const build = await records.begin(await records.create());
    await records.end(build, { kind: "passed", startedAt: ago(178), finishedAt: ago(0) });
    await chat.delivered(1);
    expect(chat.lines("#dev")).toEqual([
      "ada: ✔ docker-registry #1 passed in 2m58s · main 0000000 · https://ci.example.org/builds/1",
    ]);
  });

  test("what was put up before anybody listened is found", async () => {
    await using server = await openRedis();
    const chat = new FakeChat();
    for (const text of numbered(3)) await put(server, chat.room("#a"), text);
    await using outbox = deliver(server, chat);
    await outbox.drained("fake", AbortSignal.timeout(10_000));
    expect(chat.lines()).toEqual(numbered(3));
  });
});

describe("while a chat is away", () => {
  test("nothing is lost, and all of it goes out, once and in order, when it is back", async () => {
    await using server = await openRedis();
    const chat = new FakeChat();
    chat.leave();
    await using outbox = deliver(server, chat);
    for (const text of numbered(5)) await put(server, chat.room("#a"), text);
    await waitFor("a try", () => chat.tries > 0);
    expect(chat.sent).toEqual([]);
    const before = Date.now();
    chat.comeBack();
    await outbox.drained("fake", AbortSignal.timeout(10_000));
    expect(chat.lines()).toEqual(numbered(5));
    expect(Date.now() - before).toBeLessThan(1_000);
  });

  test("it is tried again, less and less often, without a line in the log for each moment", async () => {
    await using server = await openRedis();
    const chat = new FakeChat();
    chat.leave();
    await using _outbox = deliver(server, chat);
    await put(server, chat.room("#a"), "news");
    await waitFor("a second try", () => chat.tries >= 2);
    expect(server.entries(40).filter(({ msg }) => msg === "could not deliver yet").length).toBeLessThanOrEqual(3);
  });

  test("another network is not held up", async () => {
    await using server = await openRedis();
    const [libera, work] = [new FakeChat("libera"), new FakeChat("work")];
    libera.leave();
    await using _outbox = deliver(server, libera, work);
    await put(server, libera.room("#a"), "news");
    await put(server, work.room("C1"), "news");
    await work.delivered(1);
    expect(libera.sent).toEqual([]);
  });

  test("a room that the bot is not in does not hold up the others of its network", async () => {
    await using server = await openRedis();
    const chat = new FakeChat();
    chat.closedRooms.add("#closed");
    await using outbox = deliver(server, chat);
    await put(server, chat.room("#closed"), "for nobody");
    await put(server, chat.room("#open"), "for all");
    await chat.delivered(1);
    expect(chat.lines("#open")).toEqual(["for all"]);
    chat.closedRooms.clear();
    await outbox.drained("fake", AbortSignal.timeout(10_000));
    expect(chat.lines("#closed")).toEqual(["for nobody"]);
  });

  test("what is for a network that is not configured any more waits, and harms nobody", async () => {
    await using server = await openRedis();
    const chat = new FakeChat();
    const gone = new FakeChat("gone");
    await put(server, gone.room("#a"), "news");
    await using _outbox = deliver(server, chat);
    await put(server, chat.room("#a"), "news");
    await chat.delivered(1);
    expect(await server.redis.commands.llen(outboxKey(gone.room("#a")))).toBe(1);
  });
});

describe("what cannot go on for ever", () => {
  test.each([
    ["no JSON", "{"],
    ["JSON of another kind", '{"id":"x"}'],
    ["nothing", ""],
  ])(
    "an entry that cannot be read (%s) is dropped, logged, and does not stop what is behind it",
    async (_name, json) => {
      await using server = await openRedis();
      const chat = new FakeChat();
      await putRaw(server.redis.commands, chat.room("#a"), json);
      await put(server, chat.room("#a"), "news");
      await using _outbox = deliver(server, chat);
      await chat.delivered(1);
      expect(chat.lines()).toEqual(["news"]);
      expect(server.entries(50)).toMatchObject([{ msg: "dropped an outbox entry that cannot be read", head: json }]);
    },
  );

  test("a restart in the middle loses nothing: what was not taken is said by the next process", async () => {
    await using server = await openRedis();
    const before = new FakeChat();
    const first = deliver(server, before);
    await put(server, before.room("#a"), "line 1");
    await before.delivered(1);
    before.leave();
    await put(server, before.room("#a"), "line 2");
    await put(server, before.room("#a"), "line 3");
    await waitFor("a try", () => before.tries > 1);
    await first[Symbol.asyncDispose]();

    const after = new FakeChat();
    await using outbox = deliver(server, after);
    await outbox.drained("fake", AbortSignal.timeout(10_000));
    expect([...before.lines(), ...after.lines()]).toEqual(numbered(3));
  });

  test("a Redis that dies in the middle loses nothing either", async () => {
    await using server = await openRedis();
    const chat = new FakeChat();
    await using _outbox = deliver(server, chat);
    await put(server, chat.room("#a"), "line 1");
    await chat.delivered(1);
    process.kill(await server.pid(), "SIGKILL");
    await waitFor("Redis to be back", async () => (await server.redis.commands.ping()) === "PONG");
    await put(server, chat.room("#a"), "line 2");
    await chat.delivered(2);
    expect(chat.lines()).toEqual(numbered(2));
  });
});
