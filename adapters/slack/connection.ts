/** Staying connected: who we are, a socket, and a proof every half minute that Slack still answers; again and again, for ever. */
import { setTimeout as sleep } from "node:timers/promises";
import type { App, Logger as BoltLogger, ReceiverEvent } from "@slack/bolt";
import type { Logger } from "pino";
import { z } from "zod";
import { describeError } from "../../src/errors.ts";
import type { SlackApi } from "./api.ts";
import { reconnectDelayMs } from "./backoff.ts";
import { boltLogger } from "./bolt-log.ts";
import type { SlackOptions, SlackTiming } from "./options.ts";
import { LostAnswer, loginRefusal, SlackRefusal, sortThrown, TooMany } from "./refusal.ts";
import { memberChannels } from "./rooms.ts";
import { openSocket, type Socket } from "./socket.ts";

const Who = z.object({
  user_id: z.string(),
  user: z.string(),
  bot_id: z.string().optional(),
  team: z.string().optional(),
});
export type Who = z.infer<typeof Who>;

export interface ConnectionPorts {
  readonly options: SlackOptions;
  readonly timing: SlackTiming;
  readonly api: SlackApi;
  readonly log: Logger;
  readonly stopped: AbortSignal;
  random(): number;
  /** Called once, before the first event. */
  listen(app: App): void;
  /** Called with every event, which is not acknowledged before this resolves. Never rejects. */
  taken(body: unknown): Promise<void>;
  /** Slack answers and the socket is open; also after every doubt. */
  up(who: Who, rooms: readonly string[]): void;
  down(reason: string): void;
}

/** A reason that a person has to see to, and one that passes. */
type Failure = { readonly kind: "refused" | "unreachable"; readonly reason: string; readonly waitMs?: number };

export class Connection {
  readonly #ports: ConnectionPorts;
  #outageSince: number | undefined = performance.now();
  #app: App | undefined;
  #boltLog: BoltLogger | undefined;
  #who: Who | undefined;
  #rooms: readonly string[] = [];

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
  }

  /** Resolves after `stopped` was aborted and everything is closed. Never rejects. */
  async run(): Promise<void> {
    const { stopped, timing, random, log } = this.#ports;
    while (!stopped.aborted) {
      let waitMs = 0;
      try {
        if ((await this.#session()) === "planned") continue;
        if (stopped.aborted) return;
        this.#down("the connection to Slack broke");
        waitMs = reconnectDelayMs(0, timing, random);
      } catch (error) {
        if (stopped.aborted) return;
        const failure = judge(error);
        log.debug({ err: error }, "not connected");
        this.#down(failure.reason);
        const outageMs = performance.now() - (this.#outageSince ?? performance.now());
        const again = reconnectDelayMs(outageMs, timing, random);
        waitMs = failure.waitMs ?? (failure.kind === "refused" ? timing.loginRetryMs * (0.5 + random() / 2) : again);
      }
      await sleep(waitMs, undefined, { signal: stopped }).catch(() => undefined /* the loop's condition sees it */);
    }
  }

  /** From login to the end of the socket. @throws what kept it from being opened. */
  async #session(): Promise<"planned" | "lost"> {
    const { options, timing, api, log, stopped } = this.#ports;
    const bolt = await import("@slack/bolt");
    this.#boltLog ??= boltLogger(log, bolt.LogLevel.INFO);
    api.use(bolt.webApi, this.#boltLog);
    this.#who = await this.#login();
    this.#rooms = await memberChannels(api, options.channels, log);
    this.#app ??= this.#createApp(bolt.App, this.#boltLog);
    const { app, boltLog } = { app: this.#app, boltLog: this.#boltLog };
    const fetch = api.fetch.bind(api);
    const socket = await openSocket({ bolt, app, options, timing, boltLog, log, stopped, fetch }).catch(
      (error: unknown) => {
        throw tokenNamed("app_token", sortThrown(error));
      },
    );
    const stop = (): void => void socket.close();
    stopped.addEventListener("abort", stop, { once: true });
    try {
      if (stopped.aborted) return "lost";
      this.#up(this.#who);
      return await this.#watch(socket);
    } finally {
      stopped.removeEventListener("abort", stop);
      await socket.close();
    }
  }

  async #login(): Promise<Who> {
    try {
      return await this.#ports.api.call("auth.test", {}, Who, "safe", 1);
    } catch (error) {
      throw tokenNamed("bot_token", error);
    }
  }

  /** Waits for the end of the socket; asks meanwhile whether the Web API answers, where nothing else showed that it does. */
  async #watch(socket: Socket): Promise<"planned" | "lost"> {
    const { api, timing, random } = this.#ports;
    let proven = true;
    const over = new AbortController();
    const ended = socket.ended.finally(() => over.abort());
    while (!over.signal.aborted) {
      const idleMs = performance.now() - api.answeredAt;
      const waitMs = proven ? Math.max(0, timing.proofMs - idleMs) : reconnectDelayMs(this.#outageMs(), timing, random);
      await sleep(waitMs, undefined, { signal: over.signal }).catch(() => undefined /* the loop's condition sees it */);
      if (over.signal.aborted) break;
      if (proven && performance.now() - api.answeredAt < timing.proofMs) continue;
      try {
        const who = await Promise.race([this.#login(), ended]);
        if (typeof who === "string") break;
        if (!proven) this.#up(who);
        proven = true;
      } catch (error) {
        if (error instanceof TokenRefused || this.#ports.stopped.aborted) throw error;
        // To be asked for fewer calls is an answer too.
        if (error instanceof TooMany && proven) continue;
        proven = false;
        this.#down(describeError(judge(error).reason));
      }
    }
    return ended;
  }

  /** Bolt sorts the events out; who we are is told to it, so it asks nobody. */
  #createApp(BoltApp: typeof App, logger: BoltLogger): App {
    const { options, taken } = this.#ports;
    const nothing = async (): Promise<void> => undefined;
    /** Bolt acknowledges an event before any of its own hooks. */
    class PatientApp extends BoltApp {
      override async processEvent(event: ReceiverEvent): Promise<void> {
        await taken(event.body);
        await super.processEvent(event);
      }
    }
    const app = new PatientApp({
      authorize: async () => ({
        botToken: options.botToken,
        ...(this.#who === undefined ? {} : { botUserId: this.#who.user_id }),
        ...(this.#who?.bot_id === undefined ? {} : { botId: this.#who.bot_id }),
      }),
      receiver: { init: () => undefined, start: nothing, stop: nothing },
      logger,
      convoStore: false,
    });
    app.error(async (error) => this.#ports.log.error({ err: error }, "an event could not be handled"));
    this.#ports.listen(app);
    return app;
  }

  #outageMs(): number {
    return this.#outageSince === undefined ? 0 : performance.now() - this.#outageSince;
  }

  #up(who: Who): void {
    this.#outageSince = undefined;
    this.#ports.up(who, this.#rooms);
  }

  #down(reason: string): void {
    this.#outageSince ??= performance.now();
    this.#ports.down(reason);
  }
}

/** Which of the two tokens it is, for whoever has to change it. */
class TokenRefused extends Error {
  override readonly name = "TokenRefused";
}

function tokenNamed(token: string, error: unknown): unknown {
  const refusal = loginRefusal(error);
  return refusal === undefined ? error : new TokenRefused(`${token}: ${refusal}`, { cause: error });
}

function judge(error: unknown): Failure {
  if (error instanceof TokenRefused) return { kind: "refused", reason: error.message };
  if (error instanceof TooMany) return { kind: "unreachable", reason: error.message, waitMs: error.waitMs };
  if (error instanceof LostAnswer || error instanceof SlackRefusal)
    return { kind: "unreachable", reason: error.message };
  return { kind: "unreachable", reason: describeError(error) };
}
