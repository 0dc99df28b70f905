/** The line that changes in place while a build runs, on a chat that can show one. */
import { expect, test } from "vitest";
import { showProgress } from "../../src/builds/progress.ts";
import type { Room } from "../../src/chat/message.ts";
import { lineText, type Reply } from "../../src/chat/reply.ts";
import { FakeChat } from "../support/fake-chat.ts";
import { ago, clock, openRecords, type Records } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";

const PASSED = { kind: "passed", startedAt: ago(5), finishedAt: ago(0) } as const;

/** A chat that remembers what it was last told to show of each build; nothing when it was cleared. */
class ShowingChat extends FakeChat {
  readonly shown = new Map<string, string>();

  progress(_room: Room, key: string, reply: Reply | undefined): void {
    if (reply === undefined) this.shown.delete(key);
    else this.shown.set(key, reply.lines.map(lineText).join(""));
  }
}

async function openShow({ redis, store, builds, log }: Records, lookMs?: number) {
  const chat = new ShowingChat();
  const subscriber = redis.open();
  const deps = {
    builds,
    eventChannel: store.eventChannel,
    url: "https://ci",
    chats: new Map([["fake", chat]]),
    clock,
    log,
  };
  const progress = await showProgress({ ...deps, ...(lookMs !== undefined && { lookMs }) }, subscriber);
  return { chat, subscriber, [Symbol.asyncDispose]: () => progress[Symbol.asyncDispose]() };
}

test("a build is on show from its beginning to its end", async () => {
  await using records = await openRecords();
  await using show = await openShow(records);
  const running = await records.begin(await records.create("hello"));
  await waitFor("the build to be shown", () => show.chat.shown.size === 1);
  expect([...show.chat.shown.values()]).toEqual([expect.stringContaining("hello #1 fetching")]);
  await records.end(running, PASSED);
  await waitFor("the line to go", () => show.chat.shown.size === 0);
});

test("one that ended while Redis was away is not shown for ever", async () => {
  await using records = await openRecords();
  await using show = await openShow(records, 50);
  const running = await records.begin(await records.create("hello"));
  await waitFor("the build to be shown", () => show.chat.shown.size === 1);
  await show.subscriber.unsubscribe(records.store.eventChannel);
  await records.end(running, PASSED);
  await waitFor("the line to go", () => show.chat.shown.size === 0);
});
