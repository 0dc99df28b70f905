/**
 * 200 notices, half to IRC and half to Slack, and both servers die in the middle and come back; then the same with docker-ci killed
 * as well. Every notice is there once and in order; on IRC the one on its way at that moment may be there twice.
 * DOCKER_CI_AWAY_MS is for how long they are gone (`npm run test:outage` takes the minute of a real one).
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
import { startNgircd } from "../support/ngircd.ts";
import { type Slack, startSlack, TOKENS } from "../support/slack-server.ts";
import { openTcpGate } from "../support/tcp-gate.ts";
import { waitFor } from "../support/wait-for.ts";

const CHANNEL = "#docker-dev";
const EACH = 100;
const AWAY_MS = Number(process.env.DOCKER_CI_AWAY_MS ?? 4_000);
const numbers = Array.from({ length: EACH }, (_, index) => index + 1);

/** `notice 1` to `notice 100` for each network, in turn. */
async function burst(site: Site): Promise<void> {
  const redis = new Redis({ path: join(site.folder, "data", "redis", "redis.sock") });
  const rooms = [
    { network: NetworkName.parse("libera"), kind: "channel", name: CHANNEL },
    { network: NetworkName.parse("work"), kind: "channel", name: "C1" },
  ] as const;
  const entries = numbers.flatMap((number) =>
    rooms.map((room): OutboxEntry => {
      const text = `notice ${number}`;
      return {
        id: text,
        at: new Date().toISOString(),
        outgoing: { room, reply: say("info", [text]), priority: "notice" },
      };
    }),
  );
  try {
    await pushOutbox(redis, entries);
  } finally {
    redis.disconnect();
  }
}

const onIrc = (...people: readonly Person[]): number[] =>
  people.flatMap(({ lines }) => lines.flatMap((line) => / :notice (\d+)$/.exec(line)?.[1] ?? []).map(Number));
const inSlack = (slack: Slack): number[] =>
  slack
    .shown()
    .flatMap((text) => /notice (\d+)/.exec(text)?.[1] ?? [])
    .map(Number);

async function until(site: Site, network: string, state: "connected" | "away"): Promise<void> {
  await waitFor(
    `${network} to be ${state}`,
    async () => (await (await fetch(`${site.url}/healthz`)).text()).includes(`"${network}":"${state}"`),
    { timeoutMs: 40_000 },
  );
}

test.each(["the servers", "the servers, and docker-ci by kill -9"])(
  "%s die in the middle of a burst",
  { timeout: 120_000 + 2 * AWAY_MS },
  async (what) => {
    await using ircd = await startNgircd();
    await using gate = await openTcpGate(ircd.port);
    await using slack = await startSlack();
    await using before = await connectPerson(ircd, "ada");
    await before.join(CHANNEL);
    await using site = await openSite(`
irc: [{ name: libera, host: 127.0.0.1, port: ${gate.port}, tls: false, channels: ["${CHANNEL}"], pace: { burst: 20, per_second: 40 } }]
slack: [{ name: work, bot_token: ${TOKENS.bot}, app_token: ${TOKENS.app}, api_url: "${slack.apiUrl}" }]
`);
    const first = await site.start();
    await before.hear(/:docker-ci!\S+ JOIN/);
    await until(site, "work", "connected");
    await burst(site);
    await before.hear(/ :notice 30$/);
    gate.close();
    await Promise.all([ircd.kill(), slack.kill()]);
    expect(onIrc(before).length).toBeLessThan(EACH);
    if (what.includes("kill -9")) {
      await first.kill();
      await site.start();
    }
    await sleep(AWAY_MS);

    await Promise.all([ircd.start(), slack.start()]);
    await using after = await connectPerson(ircd, "ada");
    await after.join(CHANNEL);
    gate.open();
    await after.hear(new RegExp(` :notice ${EACH}$`), 60_000);
    await waitFor("the last notice in Slack", () => inSlack(slack).includes(EACH), {
      timeoutMs: 60_000,
      seen: () => inSlack(slack).join(" "),
    });

    const heard = onIrc(before, after);
    expect(heard.filter((number, index) => number !== heard[index - 1])).toEqual(numbers);
    expect(heard.length - EACH).toBeLessThanOrEqual(1);
    expect(inSlack(slack)).toEqual(numbers);
  },
);
