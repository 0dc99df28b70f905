/** Whether a daily report that was put up has reached its readers: one that lies in the outbox did not happen, either. */
import type { Redis } from "ioredis";
import { outboxKey, parseEntry } from "../queue/outbox-entry.ts";
import { Dropped, OUTBOX_DROPPED, OUTBOX_TROUBLE, Trouble } from "../queue/outbox-lists.ts";
import { formatCount } from "../units.ts";
import { mailRoom, reportId } from "./mailing.ts";

export type Delivery =
  | { readonly kind: "delivered" }
  | { readonly kind: "on the way" }
  /** Nobody gets it by itself; `since` when. */
  | { readonly kind: "stuck"; readonly since: Date; readonly reason: string };

type OfOne = Delivery | { readonly kind: "refused"; readonly since: Date; readonly reason: string };

/** Of the report of that moment, to all these addresses. Nobody's is told in the reason. */
export async function deliveryOf(redis: Redis, addresses: readonly string[], due: Date): Promise<Delivery> {
  const dropped = (await redis.lrange(OUTBOX_DROPPED, 0, -1)).flatMap((json) => {
    const note = Dropped.safeParse(JSON.parse(json)).data;
    return note?.id === reportId(due) ? [note] : [];
  });
  const all = await Promise.all(
    addresses.map(async (address): Promise<OfOne> => {
      const refused = dropped.find(({ room }) => room === address);
      if (refused !== undefined) return { kind: "refused", since: new Date(refused.at), reason: refused.reason };
      return waitingFor(redis, address, due);
    }),
  );
  const held = all.filter((one) => one.kind === "stuck" || one.kind === "refused");
  const [first] = held.toSorted((a, b) => a.since.getTime() - b.since.getTime());
  if (first === undefined) return { kind: all.some(({ kind }) => kind === "on the way") ? "on the way" : "delivered" };
  const whose = `${formatCount(held.length)} of ${formatCount(all.length)}`;
  return {
    kind: "stuck",
    since: first.since,
    reason: `${whose} who get it did not: ${addresses.reduce((text, address) => text.replaceAll(address, "…"), first.reason)}`,
  };
}

async function waitingFor(redis: Redis, address: string, due: Date): Promise<OfOne> {
  const list = outboxKey(mailRoom(address));
  const entries = await redis.lrange(list, 0, -1);
  const isThere = entries.some((json) => {
    const entry = parseEntry(json);
    if (entry?.folded === undefined) return entry?.id === reportId(due);
    // A digest of what piled up holds it.
    return Date.parse(entry.folded.since) <= due.getTime() && due.getTime() <= Date.parse(entry.at);
  });
  if (!isThere) return { kind: "delivered" };
  const json = await redis.hget(OUTBOX_TROUBLE, list);
  if (json === null) return { kind: "on the way" };
  const { since, reason } = Trouble.parse(JSON.parse(json));
  return { kind: "stuck", since: new Date(since), reason };
}
