/** Whether a container does what it is for: its own health check, and an answer at the port that gateways use. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerInspectInfo } from "dockerode";
import { describeError, RuntimeError } from "../src/errors.ts";
import { formatDuration } from "../src/units.ts";
import type { Application } from "./application.ts";
import { inspect, publishedPort } from "./container.ts";
import type { Daemon } from "./daemon.ts";

export type Health =
  | { readonly kind: "healthy"; readonly info: ContainerInspectInfo }
  /** May still become healthy; `restarts` is how often the Engine has started it again so far. */
  | { readonly kind: "waiting"; readonly reason: string; readonly restarts: number }
  | { readonly kind: "broken"; readonly reason: string };

const LOOK_EVERY_MS = 250;
const ANSWER_TIMEOUT_MS = 5_000;
/** Who is started again and again does not become healthy by it. */
const RESTARTS = 3;
/** What neither a health check nor a port can tell: it has not ended at once. */
const SETTLED_MS = 1_000;

/** @param host the name in the request's Host header. */
export async function checkHealth(daemon: Daemon, application: Application, host: string): Promise<Health> {
  const { container, register } = application;
  const info = await inspect(daemon, container);
  if (info === undefined) return { kind: "broken", reason: `there is no container ${container}` };
  const { Running, Restarting, ExitCode, Error: error, Health: check } = info.State;
  const waiting = (reason: string) => ({ kind: "waiting" as const, reason, restarts: info.RestartCount });
  if (Restarting) return waiting(`${container} stops and is started again, exit code ${ExitCode}`);
  if (!Running)
    return { kind: "broken", reason: `${container} stopped with exit code ${ExitCode}${error ? ` (${error})` : ""}` };
  if (check?.Status === "starting") return waiting(`the health check of ${container} has not passed yet`);
  if (check?.Status === "unhealthy")
    return { kind: "broken", reason: `${container} is unhealthy: its health check fails` };
  if (register === undefined) return { kind: "healthy", info };
  const port = publishedPort(info, application);
  const reason = await answerAt(daemon, port, application.health, host);
  return reason === undefined ? { kind: "healthy", info } : waiting(`${container} ${reason}`);
}

/**
 * Waits until it is healthy. @returns it as it runs then.
 * @throws RuntimeError as soon as it cannot become so any more, or after `health_timeout`.
 */
export async function waitUntilHealthy(
  daemon: Daemon,
  application: Application,
  { host, timeoutMs = application.healthTimeoutMs, signal }: { host: string; timeoutMs?: number; signal: AbortSignal },
): Promise<ContainerInspectInfo> {
  const deadline = Date.now() + timeoutMs;
  const settledAt = Date.now() + Math.min(SETTLED_MS, timeoutMs);
  let restartsAtFirst: number | undefined;
  for (;;) {
    const health = await checkHealth(daemon, application, host);
    if (health.kind === "waiting") {
      restartsAtFirst ??= health.restarts;
      if (health.restarts - restartsAtFirst >= RESTARTS) throw new RuntimeError(health.reason);
    }
    const isSettled = application.register !== undefined || Date.now() >= settledAt;
    if (health.kind === "healthy" && isSettled) return health.info;
    if (health.kind === "broken") throw new RuntimeError(health.reason);
    if (health.kind === "waiting" && Date.now() >= deadline)
      throw new RuntimeError(`${health.reason} (waited ${formatDuration(timeoutMs)})`);
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** A way to a host's ports. */
export type Reach = Pick<Daemon, "connectTo">;

/** Why there is no good answer; `undefined` when there is one. A status below 500 is one: pages may ask for a login. */
export async function answerAt(
  daemon: Reach,
  port: number,
  path: string,
  host: string,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<string | undefined> {
  const where = `port ${port}`;
  try {
    const socket = await daemon.connectTo(port);
    const status = await new Promise<number | undefined>((answer, refuse) => {
      const options = { path, headers: { host, connection: "close" }, createConnection: () => socket };
      const asked = request(options, (response) => {
        response.resume();
        answer(response.statusCode);
      });
      asked.setTimeout(Math.max(timeoutMs, 1), () => asked.destroy(new Error("no answer in time")));
      asked.once("error", refuse);
      asked.end();
    }).finally(() => socket.destroy());
    return (status ?? 500) < 500 ? undefined : `answers ${status} at ${where}${path}`;
  } catch (error) {
    return `does not answer at ${where} (${describeError(error)})`;
  }
}
