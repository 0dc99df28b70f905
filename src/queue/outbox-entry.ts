/** One message that waits to be delivered to one room, and the Redis keys where it waits. */
import { z } from "zod";
import { Room, roomKey } from "../chat/message.ts";
import { Line, Reply } from "../chat/reply.ts";

/** A set of all lists that may hold entries. */
export const OUTBOX_ROOMS = "docker-ci:outbox:rooms";
/** Published with the list's key whenever an entry was added. */
export const OUTBOX_CHANNEL = "docker-ci:outbox:added";

const ROOM = "docker-ci:outbox:room:";

export function outboxKey(room: Room): string {
  return `${ROOM}${roomKey(room)}`;
}

/** `{ network: "libera", room: "#docker-dev" }` of a list's key. */
export function roomOfList(list: string): { readonly network: string; readonly room: string } {
  const [network = "", ...name] = list.slice(ROOM.length).split("/");
  return { network, room: name.join("/") };
}

/** What notices that were folded into a digest came to: how many, since when, and the newest of each thing. */
export const Folded = z.strictObject({
  count: z.number().int().positive(),
  since: z.iso.datetime(),
  /** In the order in which they were last heard of. */
  news: z.array(z.strictObject({ about: z.string(), count: z.number().int().positive(), latest: Line })),
});
export type Folded = z.infer<typeof Folded>;

export const OutboxEntry = z.strictObject({
  /** Names the event and so makes an entry unique within its room: `build-42-passed`. */
  id: z.string(),
  at: z.iso.datetime(),
  /**
   * What it is news of, in a digest's words: `docker-registry`, or `docker-registry release` for another branch. A digest tells the
   * latest of each; without this, of each topic, or key.
   */
  about: z.string().optional(),
  /** It is a digest, which takes in what comes after it as long as it cannot be said. */
  folded: Folded.optional(),
  outgoing: z.strictObject({
    room: Room,
    reply: Reply,
    to: z.string().optional(),
    priority: z.enum(["answer", "notice"]),
    thread: z.string().optional(),
    toAccount: z.string().optional(),
  }),
});
export type OutboxEntry = z.infer<typeof OutboxEntry>;

/** An entry as it came out of Redis; undefined for what cannot be read. */
export function parseEntry(json: string): OutboxEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // What is no JSON is no entry either; the caller says so.
    return undefined;
  }
  return OutboxEntry.safeParse(value).data;
}
