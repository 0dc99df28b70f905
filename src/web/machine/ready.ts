/** `/readyz`: whether a command that is said now would be heard and a build that it asks for would run. */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../../errors.ts";
import { MAIL } from "../../incidents/recipients.ts";
import type { WebDeps } from "../deps.ts";

/** Whoever asks gives up after a second or a few. */
const PATIENCE_MS = 2_000;

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or a phrase that says what is missing. */
  readonly redis: string;
  readonly chat: string;
  readonly workers: string;
}

export async function readiness({ health, workers }: Pick<WebDeps, "health" | "workers">): Promise<Readiness> {
  const looked = await Promise.race([
    Promise.all([health(), workers()]).then(
      ([networks, heard]) => ({ networks, heard }),
      (error: unknown) => describeError(error),
    ),
    sleep(PATIENCE_MS, `no answer within ${PATIENCE_MS / 1_000} seconds`, { ref: false }),
  ]);
  if (typeof looked === "string") return { ready: false, redis: looked, chat: "not known", workers: "not known" };
  const chat = chatWord(looked.networks);
  const working = looked.heard.length > 0 ? "ok" : "no worker was heard of in the last seconds";
  return { ready: chat === "ok" && working === "ok", redis: "ok", chat, workers: working };
}

/** Mail is a network that only speaks. Where no chat is configured there is none to wait for. */
function chatWord(networks: Readonly<Record<string, string>>): string {
  const talking = Object.entries(networks).filter(([network]) => network !== MAIL);
  if (talking.length === 0 || talking.some(([, state]) => state === "connected")) return "ok";
  return `no chat is connected (${talking.map(([network, state]) => `${network}: ${state}`).join(", ")})`;
}
