/**
 * 200 notices at once, and something dies in the middle: the IRC server, or docker-ci itself. Every notice is heard, in order. One that
 * was on its way at that moment may be heard twice, since nobody knows whether it had arrived.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { say } from "../../src/chat/reply.ts";
import { NetworkName } from "../../src/names.ts";
import type { OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { pushOutbox } from "../../src/queue/push.ts";
import { openSite, type Site } from "../support/docker-ci.ts";
import { connectPerson, type Person } from "../support/irc-client.ts";
import { type Ngircd, startNgircd } from "../support/ngircd.ts";
import { openTcpGate } from "../support/tcp-gate.ts";
import { waitFor } from "../support/wait-for.ts";

const CHANNEL = "#docker-dev";
const COUNT = 200;
const AWAY_MS = 5_000;

async function siteOn(port: number): Promise<Site> {
  return openSite(`
irc:
  - { name: local, host: 127.0.0.1, port: ${port}, tls: false, colours: false, channels: ["${CHANNEL}"], pace: { burst: 100, per_second: 100 } }
`);
}

async function adaIn(ircd: Ngircd): Promise<Person> {
  const ada = await connectPerson(ircd, "ada");
  await ada.join(CHANNEL);
  return ada;
}

/** Puts `notice from` to `notice to` up in the Redis of that site, as news of `ageMs` ago. */
async function push(site: Site, from: number, to: number, ageMs = 0): Promise<void> {
  const redis = new Redis({ path: join(site.folder, "data", "redis", "redis.sock") });
  const room = { network: NetworkName.parse("local"), kind: "channel", name: CHANNEL } as const;
  const entries = Array.from({ length: to - from + 1 }, (_, index): OutboxEntry => {
    const text = `notice ${from + index}`;
    const at = new Date(Date.now() - ageMs).toISOString();
    return { id: text, at, about: "flood", outgoing: { room, reply: say("info", [text]), priority: "notice" } };
  });
  try {
    await pushOutbox(redis, entries);
  } finally {
    redis.disconnect();
  }
}

const heardBy = (...people: readonly Person[]): number[] =>
  people.flatMap(({ lines }) =>
    lines.flatMap((line) => /^:docker-ci!\S+ PRIVMSG \S+ :notice (\d+)/.exec(line)?.[1] ?? []).map(Number),
  );

/** Everything once and in order, but for at most one that was said again right after itself. */
function expectAllInOrder(heard: readonly number[]): void {
  expect(heard.filter((number, index) => number !== heard[index - 1])).toEqual(
    Array.from({ length: COUNT }, (_, index) => index + 1),
  );
  expect(heard.length - COUNT).toBeLessThanOrEqual(1);
}

test("the IRC server dies in the middle: what was not heard is heard when it is back", async () => {
  await using ircd = await startNgircd();
  await using gate = await openTcpGate(ircd.port);
  await using before = await adaIn(ircd);
  await using site = await siteOn(gate.port);
  await site.start();
  await before.hear(/:docker-ci!\S+ JOIN/);
  await push(site, 1, 150);
  await before.hear(/:notice 60$/);
  gate.close();
  await ircd.kill();
  await push(site, 151, COUNT);
  const outbox = await waitFor("the outbox to say why it waits", async () => {
    const text = await (await fetch(`${site.url}/api/outbox`)).text();
    return text.includes('"stuck":true') ? text : undefined;
  });
  await sleep(AWAY_MS);

  await ircd.start();
  await using after = await adaIn(ircd);
  gate.open();
  await after.hear(new RegExp(`:notice ${COUNT}$`), 40_000);
  expectAllInOrder(heardBy(before, after));
  expect(outbox).toMatch(/"network":"local","room":"#docker-dev","waiting":1\d\d,.*"reason":"local (is|went) away/);
}, 90_000);

test("docker-ci dies in the middle, by kill -9: the next start goes on where it was", async () => {
  await using ircd = await startNgircd();
  await using ada = await adaIn(ircd);
  await using site = await siteOn(ircd.port);
  const first = await site.start();
  await ada.hear(/:docker-ci!\S+ JOIN/);
  await push(site, 1, COUNT);
  await ada.hear(/:notice 80$/);
  await first.kill();
  const atDeath = heardBy(ada).length;
  expect(atDeath).toBeLessThan(COUNT);

  await site.start();
  await ada.hear(new RegExp(`:notice ${COUNT}$`), 40_000);
  expectAllInOrder(heardBy(ada));
}, 90_000);

test("after a long outage there is one digest, which says how many it stands for", async () => {
  await using ircd = await startNgircd();
  await using gate = await openTcpGate(ircd.port);
  await using ada = await adaIn(ircd);
  await using site = await siteOn(gate.port);
  await site.start();
  await ada.hear(/:docker-ci!\S+ JOIN/);
  gate.close();
  await ada.hear(/:docker-ci!\S+ QUIT/);
  await push(site, 1, COUNT, 2 * 3_600_000);
  gate.open();
  await ada.hear(/PRIVMSG \S+ :while I was away \(2h00m\): 200 notices/, 40_000);
  await ada.hear(/PRIVMSG \S+ : {2}notice 200 · the last of 200$/);
  expect(heardBy(ada)).toEqual([]);
}, 90_000);
