/** `docker-ci start`: says what it is, runs until it is told to stop, and turns what happened into an exit status. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { isFinished } from "../builds/build.ts";
import type { Chat, ChatState } from "../chat/chat.ts";
import { type Config, loadConfig } from "../config.ts";
import { withExamples } from "../example-repositories.ts";
import { openLogger } from "../logger.ts";
import { VERSION } from "../package.ts";
import { takeOrStandBy } from "../start/standby.ts";
import { type Running, start } from "../start.ts";
import type { Adapters, Terminal } from "./adapters.ts";
import { catchStrays, onSignals } from "./signals.ts";

/** `docker stop` kills after ten seconds; what is not done by then goes on after the next start. */
const DRAIN_MS = 8_000;
/** Gateways that keep what they know of backends for a moment (Traefik for two seconds) find this one until they know better. */
const LATE_REQUESTS_MS = 2_000;

export interface StartBotOptions {
  readonly adapters: Adapters;
  readonly worker: boolean;
  readonly input: "terminal" | "pipe" | "none";
  /** Called when it has started. */
  isUp(): void;
}

/** @returns the exit status: 1 when a build that was asked for on a pipe did not pass, or a command there was refused. */
export async function startBot({ adapters, worker, input, isUp }: StartBotOptions): Promise<number> {
  const config = await withExamples(await loadConfig({ env: process.env, cwd: process.cwd() }));
  const talks = config.console && input !== "none";
  const firstTime = input === "terminal" && config.file === undefined && !existsSync(join(config.dataDir, "instance"));
  const log = openLogger(talks ? { kind: "file", dataDir: config.dataDir } : { kind: "stdout" });
  catchStrays(log);

  const force = new AbortController();
  const left = new AbortController();
  let terminal: Terminal | undefined;
  const say = (text: string): void => {
    if (terminal !== undefined && input === "terminal") terminal.print(text);
    else if (talks) process.stderr.write(`${text}\n`);
    else log.info(text);
  };
  let running: Running | undefined;
  let stopping = false;
  let over: (status: number) => void = () => undefined;
  const done = new Promise<number>((fulfil) => {
    over = fulfil;
  });
  /** The first call drains, the second forces. @param why a sentence, or nothing where the end is expected. */
  const stop = (drainMs: number, status: number, why: string): void => {
    if (stopping) {
      force.abort();
      return;
    }
    stopping = true;
    left.abort();
    const atWork = [...(running?.active ?? [])].map((number) => `#${number}`).join(", ");
    const because = why === "" ? "" : `${why} `;
    const again = input === "terminal" ? "Ctrl-C" : "a second signal";
    if (atWork !== "") say(`${because}Waiting for ${atWork}; ${again} leaves it to the next start.`);
    else if (input !== "pipe") say(`${because}Stopping.`);
    void (running?.stop(drainMs, force.signal) ?? Promise.resolve()).then(() => over(status));
  };
  const stopListening = onSignals((signal) => stop(DRAIN_MS, 0, `Got ${signal}.`));

  // Before anything else: what stands by must be in no room.
  const standby = await takeOrStandBy({
    config,
    version: VERSION,
    mayWait: process.env.DOCKER_CI_STANDBY === "1",
    signal: left.signal,
    say,
  });
  const { folder } = standby;
  if (folder === undefined) {
    await standby[Symbol.asyncDispose]();
    stopListening();
    return await done;
  }

  void folder.wanted.then(async () => {
    await sleep(LATE_REQUESTS_MS, undefined, { signal: left.signal }).catch(() => undefined /* it stops already */);
    // One that waits already for builds at work waits no longer.
    stop(0, 0, "Another docker-ci takes over.");
  });

  terminal = talks
    ? await adapters.openTerminal(terminalOptions(adapters, config, input, () => stop(DRAIN_MS, 0, "Ctrl-C.")))
    : undefined;
  const chats: Chat[] = terminal === undefined ? [] : [terminal];
  for (const network of config.irc) chats.push(await adapters.openIrc(network, log));

  try {
    running = await start({
      config,
      log,
      folder,
      servePages: standby.servePages,
      chats,
      commands: adapters.commands,
      openEngine: worker ? (instance) => adapters.openEngine(config, instance, log) : undefined,
      createRunner: adapters.createRunner,
      startReport: adapters.startReport,
      startNightlies: adapters.startNightlies,
      startPruning: adapters.startPruning,
      startBackups: adapters.startBackups,
      tools: adapters,
      loadReleaseJobs: adapters.loadReleaseJobs,
      openMore: (redis) => openMore(adapters, config, redis, log),
      forgeApis: adapters.forgeApis(config),
      readHook: adapters.readHook,
      role: "everything",
      say,
    });
  } catch (error) {
    stopListening();
    await standby[Symbol.asyncDispose]();
    throw error;
  }
  if (stopping) {
    // Told so while all of this was being opened: what is open by now is closed again.
    await running.stop(DRAIN_MS, force.signal);
    stopListening();
    return await done;
  }
  isUp();
  greet(config, say, { input, worker, talks });
  void running.shutdownAsked.then((by) => stop(Number.POSITIVE_INFINITY, 0, `${by} said shutdown.`));
  announceChats([...running.chats.values()], say, () => stopping);
  if (terminal !== undefined)
    converse(terminal, running, adapters, { input, firstTime, stop, interrupted: force.signal });
  else log.info({ url: config.url, version: VERSION }, "up");

  const status = await done;
  stopListening();
  return status;
}

/** The chats that remember something in Redis, and mail, which nobody waits for at the start. */
async function openMore(adapters: Adapters, config: Config, redis: Redis, log: Logger): Promise<Chat[]> {
  const chats = await Promise.all(config.slack.map((workspace) => adapters.openSlack(workspace, redis, log)));
  return config.mail === undefined ? chats : [...chats, await adapters.openMail(config.mail, config.url, log)];
}

function terminalOptions(adapters: Adapters, config: Config, input: string, interrupted: () => void) {
  const names = adapters.commands.map(({ name }) => config.prefix + name);
  const projects = [...config.projects.keys()];
  return {
    historyFile: input === "terminal" ? join(config.dataDir, "history") : undefined,
    complete: (line: string): readonly string[] => (/\s/.test(line.trimStart()) ? projects : names),
    interrupted,
  };
}

/** What it is, where it is, what to do first. */
function greet(
  config: Config,
  say: (text: string) => void,
  how: { input: string; worker: boolean; talks: boolean },
): void {
  const rooms = [
    ...config.irc.map(({ name, channels }) => `${name} ${channels.map((channel) => channel.name).join(" ")}`),
    ...config.slack.map(({ name }) => `${name} (Slack)`),
  ];
  const who = rooms.length === 0 ? "nobody but you: this terminal is the chat" : rooms.join(", ");
  const hint = how.input === "terminal" && how.talks ? ` ${config.prefix}help lists commands, Ctrl-D leaves.` : "";
  say(
    `docker-ci ${VERSION} · ${config.url} · ${how.talks || rooms.length > 0 ? who : "no chat is configured"}.${hint}`,
  );
  if (!how.worker) say("No worker here: builds wait for one elsewhere (docker-ci worker).");
}

/** Tells when a network is joined, when it is lost, and what kept us out before anybody could listen. */
function announceChats(chats: readonly Chat[], say: (text: string) => void, stopping: () => boolean): void {
  for (const chat of chats) {
    const tell = (state: ChatState): void => {
      if (stopping()) return;
      if (state.kind === "connected") {
        // A moment later it has joined, and says where.
        if (state.rooms.length === 0) return;
        say(`${chat.network}: ${chat.network === "mail" ? "to" : "in"} ${state.rooms.join(", ")}`);
      } else if (state.reason !== "connecting") say(`${chat.network}: away (${state.reason}); trying again`);
    };
    if (chat.network !== "console") tell(chat.state);
    chat.onState(tell);
  }
}

interface Conversation {
  readonly input: "terminal" | "pipe" | "none";
  readonly firstTime: boolean;
  readonly interrupted: AbortSignal;
  stop(drainMs: number, status: number, why: string): void;
}

function converse(terminal: Terminal, running: Running, adapters: Adapters, conversation: Conversation): void {
  const { input, firstTime, interrupted, stop } = conversation;
  if (firstTime) {
    terminal.print("No docker-ci.yml found, so here is an example project to try:");
    terminal.type("!build hello");
    void running.settled(adapters.terminalNetwork, interrupted).then(() => {
      terminal.print("Next: !build docker-registry (the real one), or put me on IRC: README, “In your chat”.");
    });
  }
  terminal.listen();
  void terminal.ended.then(async () => {
    if (input === "terminal") {
      stop(Number.POSITIVE_INFINITY, 0, "Leaving.");
      return;
    }
    await running.settled(adapters.terminalNetwork, interrupted);
    const builds = await running.acceptedFrom(adapters.terminalNetwork);
    const failed = builds.some((build) => !isFinished(build) || build.state.kind !== "passed");
    stop(DRAIN_MS, failed || running.refusals(adapters.terminalNetwork) > 0 ? 1 : 0, "");
  });
}
