/** What waits where and why, read from Redis, so that any process can tell. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Chat } from "../chat/chat.ts";
import { since } from "./outbox-digest.ts";
import { OUTBOX_ROOMS, parseEntry, roomOfList } from "./outbox-entry.ts";
import { Dropped, OUTBOX_DROPPED, OUTBOX_TROUBLE, Trouble } from "./outbox-lists.ts";

export const OutboxRoomState = z.strictObject({
  network: z.string(),
  room: z.string(),
  waiting: z.number().int().positive(),
  /** When the oldest that waits became news; missing for an entry that cannot be read. */
  oldestAt: z.iso.datetime().optional(),
  /** It does not go out by itself: a try failed, or there is no network of that name any more. */
  stuck: z.boolean(),
  /** Why it is stuck, in one phrase. */
  reason: z.string().optional(),
  /** Tries since the last that succeeded. */
  tries: z.number().int(),
  nextAt: z.iso.datetime().optional(),
});
export type OutboxRoomState = z.infer<typeof OutboxRoomState>;

export interface OutboxState {
  /** Stuck ones first, then by the age of what waits, oldest first. */
  readonly rooms: readonly OutboxRoomState[];
  /** What was given up lately, newest first. */
  readonly dropped: readonly Dropped[];
}

/**
 * What anybody may know: mail addresses are cut (`a…@example.org`), because a room of the mail network is one.
 * @param chats the networks that are configured; what waits for another is stuck.
 * @throws when Redis does not answer.
 */
export async function readOutbox(redis: Redis, chats: ReadonlyMap<string, Chat>): Promise<OutboxState> {
  const lists = await redis.smembers(OUTBOX_ROOMS);
  const rooms = await Promise.all(lists.map((list) => readRoom(redis, list, chats)));
  const dropped = await redis.lrange(OUTBOX_DROPPED, 0, -1);
  return {
    rooms: rooms.flatMap((room) => (room === undefined ? [] : [room])).sort(stuckThenOldest),
    dropped: dropped.map((json) => {
      const note = Dropped.parse(JSON.parse(json));
      return { ...note, room: discreet(note.room), reason: discreet(note.reason) };
    }),
  };
}

async function readRoom(
  redis: Redis,
  list: string,
  chats: ReadonlyMap<string, Chat>,
): Promise<OutboxRoomState | undefined> {
  const [waiting, head, json] = await Promise.all([
    redis.llen(list),
    redis.lindex(list, 0),
    redis.hget(OUTBOX_TROUBLE, list),
  ]);
  if (waiting === 0 || head === null) return undefined;
  const { network, room } = roomOfList(list);
  const entry = parseEntry(head);
  const common = { network, room: discreet(room), waiting, ...(entry === undefined ? {} : { oldestAt: since(entry) }) };
  const chat = chats.get(network);
  if (chat === undefined) return { ...common, stuck: true, reason: "no network of that name is configured", tries: 0 };
  if (json === null) return { ...common, stuck: false, tries: 0 };
  const { reason, tries, nextAt } = Trouble.parse(JSON.parse(json));
  return { ...common, stuck: true, reason: discreet(reason), tries, nextAt };
}

function stuckThenOldest(a: OutboxRoomState, b: OutboxRoomState): number {
  if (a.stuck !== b.stuck) return a.stuck ? -1 : 1;
  return (a.oldestAt ?? "").localeCompare(b.oldestAt ?? "");
}

function discreet(text: string): string {
  return text.replace(/([^\s@<>,;:])[^\s@<>,;:]*@(?=[^\s@])/g, "$1…@");
}
