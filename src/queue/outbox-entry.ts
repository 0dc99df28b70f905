/** One message that waits to be delivered to one room, and the Redis keys where it waits. */
import { z } from "zod";
import { Room, roomKey } from "../chat/message.ts";
import { Reply } from "../chat/reply.ts";

/** A set of all lists that may hold entries. */
export const OUTBOX_ROOMS = "docker-ci:outbox:rooms";
/** Published with the list's key whenever an entry was added. */
export const OUTBOX_CHANNEL = "docker-ci:outbox:added";

export function outboxKey(room: Room): string {
  return `docker-ci:outbox:room:${roomKey(room)}`;
}

export const OutboxEntry = z.strictObject({
  /** Names the event and so makes an entry unique within its room: `build-42-passed`. */
  id: z.string(),
  at: z.iso.datetime(),
  outgoing: z.strictObject({
    room: Room,
    reply: Reply,
    to: z.string().optional(),
    priority: z.enum(["answer", "notice"]),
    thread: z.string().optional(),
  }),
});
export type OutboxEntry = z.infer<typeof OutboxEntry>;
