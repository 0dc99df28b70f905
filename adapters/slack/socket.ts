/**
 * One Socket Mode connection, by Bolt. Bolt does not reconnect here (`autoReconnectEnabled: false`): its own loop cannot be
 * stopped, and ends in an unhandled rejection when a token is refused. Frames that it would fall over are kept from it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { App, Logger as BoltLogger, SocketModeReceiver } from "@slack/bolt";
import type { Logger } from "pino";
import { describeError } from "../../src/errors.ts";
import type { SlackOptions, SlackTiming } from "./options.ts";
import { Frame } from "./payloads.ts";
import { LostAnswer } from "./refusal.ts";

/** How long Slack may take to say goodbye; after that the connection is cut. */
const GOODBYE_MS = 300;

export interface Socket {
  /** Resolves when it is closed: `planned` when Slack asked us to come back on another one. */
  readonly ended: Promise<"planned" | "lost">;
  close(): Promise<void>;
}

export interface SocketParts {
  readonly bolt: { readonly SocketModeReceiver: typeof SocketModeReceiver };
  readonly app: App;
  readonly options: SlackOptions;
  readonly timing: SlackTiming;
  readonly boltLog: BoltLogger;
  readonly log: Logger;
  readonly stopped: AbortSignal;
  fetch(url: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/** Resolves once Slack has said hello. @throws what apps.connections.open throws, and LostAnswer when there is no hello. */
export async function openSocket(parts: SocketParts): Promise<Socket> {
  const { bolt, app, options, timing, boltLog, log, stopped } = parts;
  const receiver = new bolt.SocketModeReceiver({
    appToken: options.appToken,
    autoReconnectEnabled: false,
    clientPingTimeout: timing.pongTimeoutMs,
    logger: boltLog,
    installerOptions: {
      clientOptions: {
        slackApiUrl: options.apiUrl,
        timeout: timing.callTimeoutMs,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        fetch: parts.fetch,
      },
    },
    // An acknowledgement that did not get out: Slack delivers the event again.
    processEventErrorHandler: async ({ error }) => {
      log.warn({ reason: describeError(error) }, "an event could not be handled or acknowledged");
      return false;
    },
  });
  receiver.init(app);
  const { client } = receiver;
  let planned = false;
  let over = false;
  const ended = new Promise<"planned" | "lost">((resolve) => {
    client.on("disconnected", () => {
      over = true;
      resolve(planned ? "planned" : "lost");
    });
  });
  guardFrames(client, log, () => {
    planned = true;
    void close();
  });

  const close = async (): Promise<void> => {
    if (over) return;
    client.disconnect().catch(() => undefined /* it only waits for what `ended` waits for */);
    await Promise.race([ended, sleep(GOODBYE_MS)]);
    // Said twice, it does not wait for the other side any more.
    if (!over) client.disconnect().catch(() => undefined /* likewise */);
  };

  const patience = new AbortController();
  const late = sleep(timing.helloTimeoutMs, undefined, { signal: patience.signal }).catch(
    () => undefined /* stopped, or said */,
  );
  const lose = (): void => patience.abort();
  stopped.addEventListener("abort", lose, { once: true });
  const hello = receiver.start().catch((error: unknown) => {
    // Closed before it said hello, it rejects with nothing.
    throw error ?? new LostAnswer("Slack closed the connection before it said hello", true);
  });
  try {
    const first = await Promise.race([hello.then(() => "hello" as const), late]);
    if (first !== "hello") throw new LostAnswer("Slack does not say hello", true);
  } catch (error) {
    await close();
    // A socket that opens after all is closed too.
    void hello.then(close, () => undefined /* it was reported */);
    throw error;
  } finally {
    stopped.removeEventListener("abort", lose);
    patience.abort();
  }
  return { ended, close };
}

/** Bolt's own listener gets only what it can read; the rest of the garbage ends here. */
function guardFrames(client: SocketModeReceiver["client"], log: Logger, onDisconnect: () => void): void {
  const listeners = client.listeners("ws_message");
  client.removeAllListeners("ws_message");
  client.on("ws_message", (data: unknown, isBinary: unknown) => {
    const frame = Frame.safeParse(parseJson(data));
    if (!frame.success) {
      log.warn({ frame: String(data).slice(0, 200) }, "Slack sent something that cannot be read");
      return;
    }
    if (frame.data.type === "disconnect") {
      onDisconnect();
      return;
    }
    for (const listener of listeners) {
      // They are async functions, though their type does not say so.
      Promise.resolve(listener.call(client, data, isBinary)).catch((error: unknown) => {
        log.warn({ reason: describeError(error) }, "Bolt could not handle a frame");
      });
    }
  });
}

function parseJson(data: unknown): unknown {
  try {
    return typeof data === "string" ? JSON.parse(data) : undefined;
  } catch {
    // It fails the schema right after, which is where it is reported.
    return undefined;
  }
}
