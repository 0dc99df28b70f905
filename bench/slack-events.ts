/**
 * (e) Events of Slack taken in by the running docker-ci: offered at a steady rate, one in fifty a command, timed from the envelope
 * on the websocket to its acknowledgement. Beside it a bare websocket client that acknowledges and does nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { z } from "zod";
import { type Slack, startSlack, TOKENS } from "../test/support/slack-server.ts";
import { mark, quantile, shownMs } from "./numbers.ts";
import { type Benchmark, openSite } from "./scene.ts";

const PER_SECOND = 200;
const SECONDS = 10;
const TARGET_MS = 100;
const TICK_MS = 20;

export const slackEvents: Benchmark = { title: `events of Slack, ${PER_SECOND} a second for ${SECONDS} s`, run };

async function run(signal: AbortSignal): Promise<boolean> {
  const bare = await offer(signal, async (slack) => {
    const headers = { authorization: `Bearer ${TOKENS.app}` };
    const answer = await fetch(`${slack.apiUrl}apps.connections.open`, { method: "POST", headers });
    const socket = new WebSocket(z.object({ url: z.url() }).parse(await answer.json()).url);
    socket.on("message", (text) => {
      const envelope: unknown = JSON.parse(String(text));
      if (typeof envelope === "object" && envelope !== null && "envelope_id" in envelope) {
        socket.send(JSON.stringify({ envelope_id: envelope.envelope_id }));
      }
    });
    return {
      async [Symbol.asyncDispose]() {
        socket.close();
      },
    };
  });
  const ours = await offer(signal, async (slack) => {
    const site = await openSite(
      `slack: [{ name: work, bot_token: ${TOKENS.bot}, app_token: ${TOKENS.app}, api_url: "${slack.apiUrl}" }]`,
    );
    await site.start();
    return site;
  });
  const reached = ours.lost === 0 && quantile(ours.ackMs, 0.99) <= TARGET_MS;
  console.log(
    `  ${mark(reached)} docker-ci: ${ours.ackMs.length} of ${ours.ackMs.length + ours.lost} acknowledged, p50 ${shownMs(quantile(ours.ackMs, 0.5))}, p99 ${shownMs(quantile(ours.ackMs, 0.99))}; bare: p50 ${shownMs(quantile(bare.ackMs, 0.5))}, p99 ${shownMs(quantile(bare.ackMs, 0.99))} (to reach: all, p99 at most ${shownMs(TARGET_MS)})`,
  );
  return reached;
}

interface Taken {
  readonly ackMs: readonly number[];
  readonly lost: number;
}

/** Offers the events to whoever `connect` brings to the server. */
async function offer(signal: AbortSignal, connect: (slack: Slack) => Promise<AsyncDisposable>): Promise<Taken> {
  await using slack = await startSlack();
  await using _client = await connect(slack);
  while (!slack.sockets.isOpen) await sleep(20, undefined, { signal });
  await sleep(500, undefined, { signal });
  const started = performance.now();
  let said = 0;
  while (said < PER_SECOND * SECONDS) {
    const due = Math.min(PER_SECOND * SECONDS, Math.floor(((performance.now() - started) / 1_000) * PER_SECOND));
    for (; said < due; said += 1) slack.say("U1", "C1", said % 50 === 0 ? "!version" : `just talk ${said}`);
    await sleep(TICK_MS, undefined, { signal });
  }
  await sleep(1_000, undefined, { signal });
  const envelopes = [...slack.sockets.envelopes.values()].filter(({ type }) => type === "events_api");
  const ackMs = envelopes.flatMap(({ sentAt, ackedAt }) => (ackedAt === undefined ? [] : [ackedAt - sentAt]));
  return { ackMs, lost: envelopes.length - ackMs.length };
}
