/** What a release is asked for first when a domain has become its: one that stands by until then takes over with it. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError, UserError } from "../src/errors.ts";
import { formatDuration } from "../src/units.ts";
import type { Application } from "./application.ts";
import type { Daemon } from "./daemon.ts";
import { answerAt, type Reach } from "./health.ts";
import type { Session } from "./session.ts";

const ASK_EVERY_MS = 500;

/** Asks every backend until it answers with less than 500. @throws RuntimeError after `health_timeout`. */
export async function askFirst(
  { daemons, signal }: Pick<Session, "daemons" | "signal">,
  { firstRequest, healthTimeoutMs }: Application,
  domain: string,
  backends: readonly string[],
): Promise<void> {
  if (firstRequest === undefined) return;
  const deadline = Date.now() + healthTimeoutMs;
  await Promise.all(
    backends.map(async (backend) => {
      for (;;) {
        signal.throwIfAborted();
        const reason = await answerOf(daemons, backend, firstRequest, domain, deadline - Date.now());
        if (reason === undefined) return;
        if (Date.now() + ASK_EVERY_MS >= deadline) {
          throw new RuntimeError(`${backend} ${reason} (waited ${formatDuration(healthTimeoutMs)})`);
        }
        await sleep(ASK_EVERY_MS, undefined, { signal });
      }
    }),
  );
}

/** Why a backend gives no good answer; `undefined` when it does. @throws UserError for one that is no address. */
export async function answerOf(
  daemons: readonly Daemon[],
  backend: string,
  path: string,
  domain: string,
  timeoutMs?: number,
): Promise<string | undefined> {
  const { hostname, port } = new URL(backend);
  const host = hostname.replace(/^\[|\]$/g, "");
  return answerAt(reachOf(daemons, host), Number(port || 80), path, domain, timeoutMs);
}

/** By the way its Engine is reached, where it is one of the hosts. */
function reachOf(daemons: readonly Daemon[], host: string): Reach {
  if (host === "") throw new UserError("A backend has no host.");
  return (
    daemons.find((daemon) => daemon.host === host) ?? {
      async connectTo(port) {
        const socket = connect(port, host);
        await once(socket, "connect");
        return socket;
      },
    }
  );
}
