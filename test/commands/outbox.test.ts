/** `!outbox`, word by word. */
import { expect, test } from "vitest";
import { say } from "../../src/chat/reply.ts";
import { outboxKey } from "../../src/queue/outbox-entry.ts";
import { createOutboxLists } from "../../src/queue/outbox-lists.ts";
import { pushOutbox } from "../../src/queue/push.ts";
import { FakeChat } from "../support/fake-chat.ts";
import { ago, NOW, openRecords, type Records } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

async function put(records: Records, room: string, secondsAgo: number, network = "fake"): Promise<string> {
  const to = new FakeChat(network).room(room);
  const outgoing = { room: to, reply: say("info", ["news"]), priority: "notice" } as const;
  await pushOutbox(records.redis.commands, [{ id: `news-${secondsAgo}`, at: ago(secondsAgo), outgoing }]);
  return outboxKey(to);
}

test("says what waits where and why, what is stuck first", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  expect(await talk.ask("!outbox")).toEqual(["nothing waits"]);
  await put(records, "#docker-dev", 7_800);
  const list = await put(records, "#docker-dev", 60);
  await put(records, "#quiet", 30);
  await put(records, "#gone", 86_400, "freenode");
  const lists = createOutboxLists(records.redis.commands);
  const nextAt = new Date(NOW.getTime() + 20_000).toISOString();
  await lists.trouble(list, { reason: "not in #docker-dev", tries: 14, since: ago(7_800), nextAt });
  expect(await talk.ask("!outbox")).toEqual([
    "▲ freenode/#gone is stuck: 1 waits, the oldest for 1d · no network of that name is configured",
    "▲ fake/#docker-dev is stuck: 2 wait, the oldest for 2h10m · not in #docker-dev · tried 14 times, again in 20s",
    "○ fake/#quiet: 1 waits, the oldest for 30s",
  ]);
});

test("is three lines and a link for many rooms, and tells what was given up", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  const lists = createOutboxLists(records.redis.commands);
  const list = await put(records, "ada", 60);
  await lists.drop(list, (await lists.head(list)) ?? "", "ada cannot be told: No such nick", NOW);
  const givenUp =
    "1 given up lately · the last 0s ago, for fake/ada: ada cannot be told: No such nick · https://ci.example.org/outbox";
  expect(await talk.ask("!outbox")).toEqual([`nothing waits · ${givenUp}`]);
  for (const room of ["#a", "#b", "#c", "#d", "#e", "#f"]) await put(records, room, 60);
  const lines = await talk.ask("!outbox");
  expect(lines).toHaveLength(5);
  expect(lines.slice(3)).toEqual(["3 more rooms · https://ci.example.org/outbox", givenUp]);
});
