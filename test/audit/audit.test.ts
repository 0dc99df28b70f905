/** The audit log in a real Redis: one chain whoever writes, and no hand can touch it unseen. */
import type { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { AUDIT_HEAD, AUDIT_LIST, type Audit, createAudit } from "../../src/audit/audit.ts";
import { type Act, type Entry, hashOf } from "../../src/audit/entry.ts";
import { connectRedis } from "../../src/queue/redis.ts";
import { clock, NOW } from "../support/records.ts";
import { openRedis } from "../support/redis.ts";

const ACT: Act = {
  who: "ada",
  account: "libera/ada",
  room: "libera/#dev",
  action: "build",
  detail: "hello",
  outcome: "accepted",
};

async function write(audit: Audit, count: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let n = 1; n <= count; n += 1) entries.push(await audit.record({ ...ACT, detail: `hello ${n}` }));
  return entries;
}

describe("what is recorded", () => {
  test("is numbered, dated and chained, and comes back newest first", async () => {
    await using server = await openRedis();
    const audit = createAudit(server.redis.commands, clock);
    expect(await audit.verify()).toMatchObject({ ok: true, count: 0 });
    const [first, second] = await write(audit, 2);
    expect(first).toMatchObject({ ...ACT, detail: "hello 1", n: 1, at: NOW.toISOString(), previous: "0".repeat(64) });
    expect(second?.previous).toBe(first?.hash);
    expect(await audit.latest(5)).toEqual([second, first]);
    expect(await audit.latest(1)).toEqual([second]);
    expect(await audit.verify()).toEqual({ ok: true, count: 2, newest: second?.hash });
  });

  test("is cut when it is long, never in the middle of a character", async () => {
    await using server = await openRedis();
    const audit = createAudit(server.redis.commands, clock);
    const { detail } = await audit.record({ ...ACT, detail: "🐙".repeat(4_000) });
    expect([...detail]).toHaveLength(300);
    expect(await audit.verify()).toMatchObject({ ok: true, count: 1 });
  });

  test("is all there after docker-ci and Redis were started again", async () => {
    await using server = await openRedis();
    const before = await write(createAudit(server.redis.commands, clock), 3);
    await server.stop();
    await using again = await connectRedis({ redis: { kind: "embedded" }, dataDir: server.dataDir }, server.log);
    const audit = createAudit(again.commands, clock);
    await audit.record(ACT);
    expect((await audit.latest(4)).slice(1)).toEqual(before.toReversed());
    expect(await audit.verify()).toMatchObject({ ok: true, count: 4 });
  });

  test("by fifty at once, each with a connection of its own, is one chain with all of it", async () => {
    await using server = await openRedis();
    const audits = Array.from({ length: 50 }, () => createAudit(server.redis.open(), clock));
    await Promise.all(audits.map((audit) => audit.record(ACT)));
    await Promise.all(
      audits.map((_audit, index) => createAudit(server.redis.commands, clock).record({ ...ACT, detail: `${index}` })),
    );
    const audit = createAudit(server.redis.commands, clock);
    expect(await audit.verify()).toMatchObject({ ok: true, count: 100 });
    expect(new Set((await audit.latest(100)).map(({ id }) => id)).size).toBe(100);
  });

  test("by one and the same at once is one chain too", async () => {
    await using server = await openRedis();
    const audit = createAudit(server.redis.commands, clock);
    const entries = await Promise.all(Array.from({ length: 50 }, () => audit.record(ACT)));
    expect(entries.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(entries.map((_entry, index) => index + 1));
    expect(await audit.verify()).toMatchObject({ ok: true, count: 50 });
  });

  test("more than a page of it is walked to the end, while more comes in", async () => {
    await using server = await openRedis();
    const audit = createAudit(server.redis.commands, clock);
    await write(audit, 1_001);
    const [verdict] = await Promise.all([audit.verify(), write(createAudit(server.redis.commands, clock), 20)]);
    expect(verdict).toMatchObject({ ok: true });
    expect(await audit.verify()).toMatchObject({ ok: true, count: 1_021 });
  });
});

describe("a hand in the chain", () => {
  const moved = "stands there: one was taken out, slipped in or moved";
  const at = async (redis: Redis, index: number): Promise<string> => (await redis.lindex(AUDIT_LIST, index)) ?? "";
  /** The third of five, as somebody would like it to have been. */
  const forged = (text: string, changes: Partial<Entry>): string => JSON.stringify({ ...JSON.parse(text), ...changes });

  test.each<[string, (redis: Redis, entries: readonly Entry[]) => Promise<unknown>, number, string]>([
    [
      "changed one",
      async (redis) => redis.lset(AUDIT_LIST, 2, forged(await at(redis, 2), { who: "bob" })),
      3,
      "it was changed",
    ],
    [
      "changed one and its hash",
      async (redis, entries) => {
        const third = entries[2];
        if (third === undefined) throw new Error("there are five");
        const changed = { ...third, who: "bob" };
        return redis.lset(AUDIT_LIST, 2, JSON.stringify({ ...changed, hash: hashOf(changed) }));
      },
      4,
      "it does not follow the one before",
    ],
    [
      "changed its date",
      async (redis) => redis.lset(AUDIT_LIST, 2, forged(await at(redis, 2), { at: "2020-01-01T00:00:00.000Z" })),
      3,
      "it was changed",
    ],
    [
      "added a field",
      async (redis) => redis.lset(AUDIT_LIST, 2, (await at(redis, 2)).replace("{", '{"and":1,')),
      3,
      "it cannot be read",
    ],
    ["wrote nonsense", async (redis) => redis.lset(AUDIT_LIST, 2, "nonsense"), 3, "it cannot be read"],
    ["removed one", async (redis) => redis.lrem(AUDIT_LIST, 1, await at(redis, 2)), 3, `number 4 ${moved}`],
    ["removed the first", async (redis) => redis.lpop(AUDIT_LIST), 1, `number 2 ${moved}`],
    ["removed the newest", async (redis) => redis.rpop(AUDIT_LIST), 5, "it is missing, and so is all up to 5"],
    ["removed the newest two", async (redis) => redis.rpop(AUDIT_LIST, 2), 4, "it is missing, and so is all up to 5"],
    ["removed all", async (redis) => redis.del(AUDIT_LIST), 1, "it is missing, and so is all up to 5"],
    [
      "inserted a copy",
      async (redis) => redis.linsert(AUDIT_LIST, "AFTER", await at(redis, 2), await at(redis, 2)),
      4,
      `number 3 ${moved}`,
    ],
    [
      "inserted one that fits the one before",
      async (redis, entries) => {
        const third = entries[2];
        if (third === undefined) throw new Error("there are five");
        const extra = { ...third, n: 4, previous: third.hash };
        const text = JSON.stringify({ ...extra, hash: hashOf(extra) });
        return redis.linsert(AUDIT_LIST, "AFTER", await at(redis, 2), text);
      },
      5,
      `number 4 ${moved}`,
    ],
    [
      "appended one past the head",
      async (redis, entries) => {
        const last = entries[4];
        if (last === undefined) throw new Error("there are five");
        const extra = { ...last, n: 6, previous: last.hash };
        return redis.rpush(AUDIT_LIST, JSON.stringify({ ...extra, hash: hashOf(extra) }));
      },
      6,
      "it was added behind the newest",
    ],
    [
      "swapped two",
      async (redis) => {
        const [second, third] = [await at(redis, 1), await at(redis, 2)];
        await redis.lset(AUDIT_LIST, 1, third);
        return redis.lset(AUDIT_LIST, 2, second);
      },
      2,
      `number 3 ${moved}`,
    ],
    ["took the head away", async (redis) => redis.del(AUDIT_HEAD), 1, "it was added behind the newest"],
  ])("that %s is seen", async (_name, tamper, place, reason) => {
    await using server = await openRedis();
    const redis = server.redis.commands;
    const audit = createAudit(redis, clock);
    const entries = await write(audit, 5);
    await tamper(redis, entries);
    expect(await audit.verify()).toEqual({ ok: false, at: place, reason });
  });

  test("is not hidden by what is recorded after it", async () => {
    await using server = await openRedis();
    const redis = server.redis.commands;
    await write(createAudit(redis, clock), 3);
    await redis.rpop(AUDIT_LIST);
    await createAudit(redis, clock).record(ACT);
    expect(await createAudit(redis, clock).verify()).toMatchObject({ ok: false, at: 3 });
  });
});
