/** What waits where and why, as any process can read it; and what was given up. */
import { describe, expect, test } from "vitest";
import type { Outgoing } from "../../src/chat/chat.ts";
import type { Room } from "../../src/chat/message.ts";
import { say } from "../../src/chat/reply.ts";
import { RuntimeError } from "../../src/errors.ts";
import { startOutbox } from "../../src/queue/outbox.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { readOutbox } from "../../src/queue/outbox-rooms.ts";
import { pushOutbox } from "../../src/queue/push.ts";
import { FakeChat } from "../support/fake-chat.ts";
import { ago, clock } from "../support/records.ts";
import { openRedis, type TestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

/** A chat that can stage what a FakeChat cannot: a refusal for good, and a moment between the proof and its caller. */
class PickyChat extends FakeChat {
  refused: string | undefined;
  afterSend: (() => Promise<void>) | undefined;

  override async send(outgoing: Outgoing): Promise<void> {
    if (outgoing.room.name === this.refused) {
      throw new RuntimeError(`${this.refused}: 550 no such user`, { retryable: false });
    }
    await super.send(outgoing);
    await this.afterSend?.();
  }
}

const entry = (room: Room, text: string, secondsAgo = 60): OutboxEntry => ({
  id: text,
  at: ago(secondsAgo),
  outgoing: { room, reply: say("failed", [text]), priority: "notice" },
});

function deliver({ redis, log }: TestRedis, ...chats: readonly FakeChat[]) {
  return startOutbox(redis.commands, redis.open, mapOf(...chats), log, { clock });
}
const mapOf = (...chats: readonly FakeChat[]) => new Map(chats.map((chat) => [chat.network, chat]));

test("every room that waits is there, stuck ones first, with why and how old", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  const chat = new FakeChat();
  const gone = new FakeChat("gone");
  chat.closedRooms.add("#closed");
  await pushOutbox(commands, [entry(chat.room("#closed"), "one", 300), entry(chat.room("#closed"), "two")]);
  await pushOutbox(commands, [entry(gone.room("a/b"), "three", 900), entry(chat.room("#open"), "four")]);
  await using _outbox = deliver(server, chat);
  await waitFor("a second try", () => chat.tries >= 3);
  const quiet = new FakeChat("quiet");
  await pushOutbox(commands, [entry(quiet.room("#x"), "five")]);
  const { rooms, dropped } = await waitFor("the second try to be noted", async () => {
    const state = await readOutbox(commands, mapOf(chat, quiet));
    return state.rooms[1]?.tries === 2 && state;
  });
  expect(rooms).toEqual([
    {
      network: "gone",
      room: "a/b",
      waiting: 1,
      oldestAt: ago(900),
      stuck: true,
      tries: 0,
      reason: "no network of that name is configured",
    },
    {
      network: "fake",
      room: "#closed",
      waiting: 2,
      oldestAt: ago(300),
      stuck: true,
      reason: "not in #closed",
      tries: 2,
      nextAt: expect.stringMatching(/^2026-03-01T12:00:0[01]/),
    },
    { network: "quiet", room: "#x", waiting: 1, oldestAt: ago(60), stuck: false, tries: 0 },
  ]);
  expect(dropped).toEqual([]);
});

test("a room that has its news is forgotten, with its trouble", async () => {
  await using server = await openRedis();
  const chat = new FakeChat();
  chat.leave();
  await using outbox = deliver(server, chat);
  await pushOutbox(server.redis.commands, [entry(chat.room("#dev"), "one")]);
  await waitFor("trouble", async () => (await readOutbox(server.redis.commands, mapOf(chat))).rooms[0]?.stuck);
  chat.comeBack();
  await outbox.drained("fake", AbortSignal.timeout(10_000));
  expect(await readOutbox(server.redis.commands, mapOf(chat))).toEqual({ rooms: [], dropped: [] });
  expect(await server.redis.commands.exists(OUTBOX_ROOMS, "docker-ci:outbox:trouble")).toBe(0);
});

test("what can never be delivered is given up, logged and noted, and does not block the room", async () => {
  await using server = await openRedis();
  const chat = new PickyChat("mail");
  chat.refused = "nobody@example.org";
  await using outbox = deliver(server, chat);
  const to = (name: string): Room => chat.room(name, "direct");
  await pushOutbox(server.redis.commands, [
    entry(to("nobody@example.org"), "one"),
    entry(to("ada@example.org"), "two"),
  ]);
  await outbox.drained("mail", AbortSignal.timeout(10_000));
  expect(chat.lines()).toEqual(["✘ two"]);
  const reason = "nobody@example.org: 550 no such user";
  expect(server.entries(50)).toMatchObject([{ msg: "dropped an outbox entry that can never be delivered", reason }]);
  expect(await readOutbox(server.redis.commands, mapOf(chat))).toEqual({
    rooms: [],
    // Anybody may read this.
    dropped: [
      { network: "mail", room: "n…@example.org", at: ago(0), reason: "n…@example.org: 550 no such user", id: "one" },
    ],
  });
});

describe("a Redis that goes away between the proof and the note of it", () => {
  test("makes nothing be said twice", async () => {
    await using server = await openRedis();
    const chat = new PickyChat();
    chat.afterSend = async () => {
      chat.afterSend = undefined;
      process.kill(await server.pid(), "SIGKILL");
    };
    await using outbox = deliver(server, chat);
    await pushOutbox(server.redis.commands, [entry(chat.room("#dev"), "one"), entry(chat.room("#dev"), "two")]);
    await chat.delivered(2);
    await waitFor("Redis to be back", async () => (await server.redis.commands.ping()) === "PONG");
    await outbox.drained("fake", AbortSignal.timeout(15_000));
    expect(chat.lines()).toEqual(["✘ one", "✘ two"]);
  });
});

test("an entry is put up whole or not at all", async () => {
  await using server = await openRedis();
  await pushOutbox(server.redis.commands, []);
  const chat = new FakeChat();
  await server.redis.commands.set(OUTBOX_ROOMS, "not a set");
  await expect(pushOutbox(server.redis.commands, [entry(chat.room("#dev"), "one")])).rejects.toThrow(RuntimeError);
});
