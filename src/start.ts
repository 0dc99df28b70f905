/**
 * The running docker-ci: bot, page and worker in one process, opened in order and closed in the reverse one. The adapters come
 * from main.ts, so that this reads without knowing any of them.
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ServerType, serve } from "@hono/node-server";
import type { Logger } from "pino";
import type { Build } from "./builds/build.ts";
import { isFinished } from "./builds/build.ts";
import { createBuilds } from "./builds/builds.ts";
import { type Cancellations, watchCancellations } from "./builds/cancellations.ts";
import { followLive, publishLive } from "./builds/live-log.ts";
import { lastLines, openLog } from "./builds/log-files.ts";
import { showProgress } from "./builds/progress.ts";
import { createBuildStore } from "./builds/store.ts";
import type { Chat } from "./chat/chat.ts";
import type { Command, CommandServices } from "./chat/command.ts";
import { createDispatcher, type Handled } from "./chat/dispatch.ts";
import { roomKey } from "./chat/message.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { openDataFolder } from "./data-folder.ts";
import { ConfigError, describeError } from "./errors.ts";
import { deferred, Opened } from "./lifecycle.ts";
import type { BuildNumber } from "./names.ts";
import { VERSION } from "./package.ts";
import { type BuildWorker, createBuildQueue, createBuildWorker, type JobOutcome } from "./queue/build-queue.ts";
import { startOutbox } from "./queue/outbox.ts";
import { connectRedis } from "./queue/redis.ts";
import { announceWorker, listWorkers } from "./queue/workers.ts";
import type { Revisions } from "./revisions.ts";
import type { ContainerRuntime } from "./runtime.ts";
import { createWeb } from "./web/web.tsx";

/** An engine with its testbuilder. */
export interface Engine {
  readonly runtime: ContainerRuntime;
  readonly revisions: Revisions & { warm(signal: AbortSignal): Promise<void> };
}

/** What a worker's job needs of the process around it; jobs/build.ts is handed in by main.ts. */
export interface WorkerParts {
  readonly config: Config;
  readonly builds: ReturnType<typeof createBuilds>;
  readonly store: ReturnType<typeof createBuildStore>;
  readonly engine: Engine;
  readonly cancellations: Cancellations;
  readonly instance: string;
  readonly live: (number: BuildNumber) => ReturnType<typeof publishLive>;
  readonly log: Logger;
}

export interface BuildRunner {
  run(number: BuildNumber, lost: AbortSignal): Promise<JobOutcome>;
  /** Removes what earlier runs left on the engine. */
  sweep(): Promise<void>;
  /** Resolves when nothing of finished builds is being tidied up any more. */
  settled(): Promise<void>;
}

export interface StartOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Opened by the caller and closed here. */
  readonly chats: readonly Chat[];
  readonly commands: readonly Command[];
  /** Missing with `--no-worker`. */
  readonly openEngine: ((instance: string) => Engine) | undefined;
  readonly createRunner: (parts: WorkerParts) => BuildRunner;
  /** Whether this process answers chats and serves the page, or only works. */
  readonly role: "everything" | "worker";
  /** Sentences for whoever started it. */
  say(text: string): void;
}

export interface Running {
  /** Builds that this process accepted since it started, newest state. */
  acceptedFrom(network: string): Promise<readonly Build[]>;
  /** How many commands of a network were refused or failed. */
  refusals(network: string): number;
  /** Resolves when no command is being answered, every accepted build of that network is over, and its outbox is empty. */
  settled(network: string, signal: AbortSignal): Promise<void>;
  /**
   * Stops: no more commands and jobs; waits for the builds at work for `drainMs` at most, then leaves them to the next start.
   * Aborting `force` ends that wait. Safe to call twice.
   */
  stop(drainMs: number, force: AbortSignal): Promise<void>;
  /** Resolves with who asked when somebody said `!shutdown`. */
  readonly shutdownAsked: Promise<string>;
  /** Numbers of the builds at work here. */
  readonly active: ReadonlySet<number>;
}

/** @throws ConfigError and RuntimeError, after everything opened so far was closed again. */
export async function start(options: StartOptions): Promise<Running> {
  const stack = new Opened(options.log);
  try {
    return await open(options, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

async function open(options: StartOptions, stack: Opened): Promise<Running> {
  const { config, log, say } = options;
  const startedAt = new Date();
  const clock = systemClock;
  const folder = stack.add("data folder", await openDataFolder(config.dataDir));
  for (const chat of options.chats) stack.add(`chat ${chat.network}`, chat);
  const chats = new Map<string, Chat>(options.chats.map((chat) => [chat.network, chat]));

  const answering = new Map<string, number>();
  // What is said while the rest is opened waits; a person does not see the difference.
  const ready = deferred<(message: Parameters<Parameters<Chat["onMessage"]>[0]>[0], chat: Chat) => Promise<void>>();
  for (const chat of options.chats) {
    chat.onMessage((message) => {
      answering.set(chat.network, (answering.get(chat.network) ?? 0) + 1);
      void ready.promise
        .then((handle) => handle(message, chat))
        .finally(() => answering.set(chat.network, (answering.get(chat.network) ?? 1) - 1));
    });
  }

  const redis = stack.add("Redis", await connectRedis(config, log));
  for (const warning of redis.warnings) say(`warning: ${warning}`);
  const store = createBuildStore(redis.commands);
  const queue = stack.add("queue", createBuildQueue(redis.open(), store, log));
  const engine = options.openEngine?.(folder.instance);
  if (engine !== undefined) stack.add("testbuilder", engine.revisions);
  const accepted: Build[] = [];
  const builds = createBuilds({
    config,
    store,
    queue,
    revisions: engine?.revisions,
    redis: redis.commands,
    clock,
    log,
    onAccepted: (build) => accepted.push(build),
  });
  const logs = join(config.dataDir, "docker-ci", "logs");
  const logLines = async (number: number, count: number, pattern?: RegExp) => {
    const whole = await openLog(logs, number);
    return whole === undefined ? undefined : lastLines(whole, count, pattern);
  };

  const worker =
    engine === undefined
      ? undefined
      : await openWorker(options, stack, { engine, builds, store, redis, instance: folder.instance });

  const refused = new Map<string, number>();
  const asked = deferred<string>();
  const services: CommandServices = {
    config,
    builds,
    chats,
    clock,
    version: VERSION,
    startedAt,
    commands: options.commands,
    workers: () => listWorkers(redis.commands),
    logLines,
    shutdown: (by) => asked.resolve(by),
  };
  const dispatcher = createDispatcher(services, redis.commands, log);

  if (options.role === "everything") {
    stack.add("outbox", startOutbox(redis.commands, redis.open, chats, log));
    stack.add(
      "progress",
      await showProgress({ builds, eventChannel: store.eventChannel, chats, clock, log }, redis.open()),
    );
    const app = createWeb({
      config,
      builds,
      version: VERSION,
      log,
      openLog: (number) => openLog(logs, number),
      logLines,
      async *followLog(number, signal) {
        const connection = redis.open();
        try {
          yield* followLive(connection, number, signal);
        } finally {
          connection.disconnect();
        }
      },
      async health() {
        await redis.commands.ping();
        return Object.fromEntries([...chats.values()].map(({ network, state }) => [network, state.kind]));
      },
    });
    const server = await listen(app.fetch, config);
    stack.add("page", {
      async [Symbol.asyncDispose]() {
        // A page that is being followed live would keep its connection for ever.
        if ("closeAllConnections" in server) server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    });
  }

  // What one person says in one room is answered in its order; others do not wait for it.
  const turns = new Map<string, Promise<void>>();
  ready.resolve(async (message, chat) => {
    const network = chat.network;
    const who = `${roomKey(message.room)} ${message.speaker.displayName}`;
    const turn = (turns.get(who) ?? Promise.resolve()).then(async () => {
      const handled: Handled = await dispatcher.handle(message, chat);
      if (handled === "refused" || handled === "failed") refused.set(network, (refused.get(network) ?? 0) + 1);
    });
    turns.set(who, turn);
    try {
      await turn;
    } finally {
      if (turns.get(who) === turn) turns.delete(who);
    }
  });

  const acceptedFrom = async (network: string): Promise<readonly Build[]> => {
    const mine = accepted.filter(({ requester }) => requester.network === network);
    return Promise.all(mine.map(async ({ number }) => builds.get(number)));
  };
  let stopped: Promise<void> | undefined;

  return {
    acceptedFrom,
    refusals: (network) => refused.get(network) ?? 0,
    shutdownAsked: asked.promise,
    active: worker?.active ?? new Set<number>(),
    async settled(network, signal) {
      while (!signal.aborted) {
        const busy = (answering.get(network) ?? 0) > 0 || !(await acceptedFrom(network)).every(isFinished);
        if (!busy && (await redis.commands.llen(`docker-ci:outbox:room:${network}/terminal`)) === 0) return;
        await sleep(25);
      }
    },
    stop(drainMs, force) {
      stopped ??= (async () => {
        dispatcher.refuseAll("docker-ci is stopping. What is queued waits for the next start.");
        await worker?.stop(drainMs, force);
        await sayGoodbye(chats, redis.commands);
        await stack.close();
      })();
      return stopped;
    },
  };
}

interface WorkerScene extends Omit<WorkerParts, "config" | "cancellations" | "live" | "log"> {
  readonly redis: Awaited<ReturnType<typeof connectRedis>>;
}

interface LocalWorker {
  readonly active: ReadonlySet<number>;
  stop(drainMs: number, force: AbortSignal): Promise<void>;
}

async function openWorker(options: StartOptions, stack: Opened, scene: WorkerScene): Promise<LocalWorker> {
  const { config, log, say } = options;
  const { engine, builds, redis } = scene;
  const cancellations = stack.add("cancellations", await watchCancellations(builds, redis.open(), log));
  const runner = options.createRunner({
    ...scene,
    config,
    cancellations,
    live: (number) => publishLive(redis.commands, number, log),
    log,
  });
  let engineName = "no engine answered yet";
  const stopping = new AbortController();
  const warmUp = async (): Promise<void> => {
    // The engine may be started after us, and may go and come back: what it needs is done once it answers.
    for (let delayMs = 1_000; !stopping.signal.aborted; delayMs = Math.min(delayMs * 2, 30_000)) {
      try {
        const info = await engine.runtime.info(stopping.signal);
        engineName = `${info.name}: Docker ${info.version}, ${info.cpus} CPUs`;
        heartbeat.beat();
        await runner.sweep();
        await engine.revisions.warm(stopping.signal);
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (delayMs === 1_000) say(`warning: ${describeError(error)}`);
        log.warn({ err: error }, "the engine is not ready; looking again");
      }
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined /* the loop sees the abort */);
    }
  };
  const worker: BuildWorker = stack.add(
    "worker",
    createBuildWorker(redis.open(), config.concurrency, log, async (number, lost) => {
      heartbeat.beat();
      return runner.run(number, lost).finally(() => setImmediate(() => heartbeat.beat()));
    }),
  );
  const heartbeat = stack.add(
    "heartbeat",
    announceWorker(
      redis.commands,
      () => ({ engine: engineName, slots: config.concurrency, active: [...worker.active], version: VERSION }),
      systemClock,
      log,
    ),
  );
  const warming = warmUp();
  return {
    active: worker.active,
    async stop(drainMs, force) {
      stopping.abort();
      worker.stopTaking();
      const deadline = Date.now() + drainMs;
      while (worker.active.size > 0 && Date.now() < deadline && !force.aborted) await sleep(25);
      if (worker.active.size > 0) {
        log.info({ builds: [...worker.active] }, "leaving builds to the next start");
        cancellations.handOver();
        const handed = Date.now() + 5_000;
        while (worker.active.size > 0 && Date.now() < handed) await sleep(25);
      }
      await Promise.race([Promise.allSettled([runner.settled(), warming]), sleep(5_000, undefined, { ref: false })]);
    },
  };
}

/** Gives the last results a moment to reach the chats that are connected. */
async function sayGoodbye(
  chats: ReadonlyMap<string, Chat>,
  redis: { smembers(key: string): Promise<string[]>; llen(key: string): Promise<number> },
): Promise<void> {
  const deadline = Date.now() + 3_000;
  try {
    while (Date.now() < deadline) {
      const lists = await redis.smembers("docker-ci:outbox:rooms");
      const reachable = lists.filter((list) => {
        const network = list.slice("docker-ci:outbox:room:".length).split("/", 1)[0] ?? "";
        return chats.get(network)?.state.kind === "connected";
      });
      const lengths = await Promise.all(reachable.map((list) => redis.llen(list)));
      if (lengths.every((length) => length === 0)) return;
      await sleep(25);
    }
  } catch {
    // Redis is away: what waits in the outbox goes out after the next start.
  }
}

async function listen(
  fetch: Parameters<typeof serve>[0]["fetch"],
  { listen: { host, port } }: Config,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, () => resolve(server));
    server.once("error", (error) => {
      const reason = /EADDRINUSE/.test(describeError(error)) ? `port ${port} is in use` : describeError(error);
      reject(
        new ConfigError(
          "docker-ci cannot start.",
          [`listen: ${reason} on ${host}; choose another port with listen: or PORT`],
          {
            cause: error,
          },
        ),
      );
    });
  });
}
