/** Following a log live: everything in order, from where one was; one connection for all, and nothing is kept for the slow. */
import { expect, test } from "vitest";
import { Build } from "../../src/builds/build.ts";
import type { LivePublisher } from "../../src/builds/build-log.ts";
import { createLiveLogs, type LiveEvent, publishLive } from "../../src/builds/live-log.ts";
import { openRedis, type TestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const ONE = Build.shape.number.parse(1);

/** Collects what a follower hears until the signal aborts. */
function hear(events: AsyncIterable<LiveEvent>): {
  text: string;
  gaps: (readonly [number, number])[];
  done: Promise<void>;
} {
  const heard = { text: "", gaps: [] as (readonly [number, number])[], done: Promise.resolve() };
  heard.done = (async () => {
    for await (const event of events) {
      if (event.kind === "chunks") heard.text += event.chunks.map(({ text }) => text).join("");
      if (event.kind === "gap") heard.gaps.push([event.from, event.to]);
    }
  })();
  return heard;
}

function writer(redis: TestRedis): (text: string) => void {
  const publish: LivePublisher = publishLive(redis.redis.commands, ONE, redis.log);
  let at = 0;
  return (text) => {
    const bytes = Buffer.byteLength(text);
    publish(at, text, bytes);
    at += bytes;
  };
}

test("each follower gets what comes behind where it was, a chunk across that place in part", async () => {
  await using redis = await openRedis();
  await using live = createLiveLogs(redis.redis.open, redis.log);
  const stop = new AbortController();
  const write = writer(redis);
  write("one ✔\n");
  write("two\n");
  const whole = hear(live.follow(ONE, stop.signal));
  const some = hear(live.follow(ONE, stop.signal, 4));
  await waitFor("both to hear of what was", () => whole.text !== "" && some.text !== "");
  write("three\n");
  await waitFor("both to hear of what comes", () => whole.text.includes("three") && some.text.includes("three"));
  expect([whole.text, some.text]).toEqual(["one ✔\ntwo\nthree\n", "✔\ntwo\nthree\n"]);
  expect([whole.gaps, some.gaps]).toEqual([[], []]);
  stop.abort();
  await Promise.all([whole.done, some.done]);
});

test("a hundred followers take one connection, and it is closed behind the last", async () => {
  await using redis = await openRedis();
  let opened = 0;
  const connections = new Set<{ readonly status: string }>();
  await using live = createLiveLogs(() => {
    opened += 1;
    const connection = redis.redis.open();
    connections.add(connection);
    return connection;
  }, redis.log);
  const stop = new AbortController();
  const write = writer(redis);
  const all = Array.from({ length: 100 }, () => hear(live.follow(ONE, stop.signal, 0)));
  write("hello\n");
  await waitFor("all to hear", () => all.every(({ text }) => text === "hello\n"));
  expect(opened).toBe(1);
  stop.abort();
  await Promise.all(all.map(({ done }) => done));
  await waitFor("the connection to be closed", () => [...connections].every(({ status }) => status === "end"));
});

test("who is too slow is told of a gap and goes on at the newest; the others are not held up", async () => {
  await using redis = await openRedis();
  await using live = createLiveLogs(redis.redis.open, redis.log);
  const stop = new AbortController();
  const write = writer(redis);
  const quick = hear(live.follow(ONE, stop.signal, 0));
  const slow = live.follow(ONE, stop.signal, 0);
  write("first\n");
  expect((await slow.next()).value?.kind).not.toBe("gap");
  const line = `${"x".repeat(32 * 1024 - 1)}\n`;
  for (let turn = 1; turn <= 100; turn += 1) {
    write(line);
    if (turn % 10 === 0) await waitFor("the quick one", () => quick.text.length >= turn * line.length);
  }
  expect(quick.gaps).toEqual([]);
  const events: LiveEvent[] = [];
  while (!events.some(({ kind }) => kind === "chunks") || events.length < 2) {
    const { value } = await slow.next();
    if (value !== undefined && value.kind !== "idle") events.push(value);
    if (events.at(-1)?.kind === "chunks" && events.some(({ kind }) => kind === "gap")) break;
  }
  const gap = events.find((event) => event.kind === "gap");
  expect(gap).toMatchObject({ kind: "gap" });
  const last = events.at(-1);
  const held = last?.kind === "chunks" ? last.chunks.reduce((sum, { text }) => sum + text.length, 0) : 0;
  // A mebibyte is held, whoever may want it.
  expect(held).toBeLessThanOrEqual(1024 ** 2);
  expect(last?.kind === "chunks" ? last.chunks.at(-1)?.end : 0).toBe("first\n".length + 100 * line.length);
  stop.abort();
  await quick.done;
});

test("a log that begins anew is told of as a gap to its beginning", async () => {
  await using redis = await openRedis();
  await using live = createLiveLogs(redis.redis.open, redis.log);
  const stop = new AbortController();
  writer(redis)("a first attempt\n");
  const heard = hear(live.follow(ONE, stop.signal, 0));
  await waitFor("the first attempt", () => heard.text !== "");
  writer(redis)("a second\n");
  await waitFor("the second", () => heard.text.endsWith("a second\n"));
  expect(heard.gaps).toEqual([["a first attempt\n".length, 0]]);
  stop.abort();
  await heard.done;
});
