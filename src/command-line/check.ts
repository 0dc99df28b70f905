/** `docker-ci check`: the configuration, then every connection, in a table that says what works and what to do about the rest. */
import { createServer } from "node:net";
import { pino } from "pino";
import { bucketsOf } from "../bucket-owner.ts";
import type { Chat } from "../chat/chat.ts";
import {
  type Config,
  type IrcNetwork,
  loadConfig,
  type MailConfig,
  type SlackWorkspace,
  shownRepository,
} from "../config.ts";
import { openDataFolder, readInstance } from "../data-folder.ts";
import { ConfigError } from "../errors.ts";
import { withExamples } from "../example-repositories.ts";
import { connectRedis } from "../queue/redis.ts";
import type { Adapters } from "./adapters.ts";
import { checkForge } from "./check-forge.ts";
import { bucketLabel, checkBucket, checkSigningKey } from "./check-releases.ts";
import { DEADLINE_MS, type Row, reason } from "./check-row.ts";

/** The width of the labels' column, as long as no name needs more. */
const NARROWEST = 24;
const SIGN = { works: "✔", warning: "▲", fails: "✘" } as const;

/** @returns 0 when everything works. @throws ConfigError when the configuration itself has mistakes. */
export async function check(adapters: Adapters): Promise<number> {
  const loaded = await loadConfig({ env: process.env, cwd: process.cwd() });
  const width = Math.max(NARROWEST, ...longLabels(loaded).map(({ length }) => length));
  const rows: Row[] = [];
  const print = (row: Row): void => {
    rows.push(row);
    process.stdout.write(`${SIGN[row.state]} ${row.what.padEnd(width)} ${row.detail}\n`);
  };
  print({ what: "configuration", state: "works", detail: loaded.file ?? "none, so the defaults" });

  const config = await withExamples(loaded);
  const running = await checkFolder(config, print);
  if (running) {
    const what = config.hooks === undefined ? "redis, page" : "redis, page, webhooks";
    print({ what, state: "works", detail: "in use by the docker-ci that runs there" });
  } else {
    await checkRedis(config, print);
    await checkPort("page", "listen: or PORT", config.listen, `links will say ${config.url}`, print);
    if (config.hooks !== undefined)
      await checkPort("webhooks", "hooks.listen:", config.hooks.listen, "they come in there besides the page", print);
  }
  print({ what: "login", state: "works", detail: logins(config) });
  await checkEngine(adapters, config, print);
  await Promise.all([
    ...config.irc.map((network) => checkIrc(adapters, network, print)),
    ...config.slack.map((workspace) => checkSlack(adapters, workspace, print)),
    ...[...config.projects.values()].map((project) => checkForge(adapters, config, project, print)),
    ...bucketsOf(config).map((used) => checkBucket(adapters, config.deployment, used, print)),
    ...[...config.releases].map(([project, release]) => checkSigningKey(adapters, project, release, print)),
    ...(config.mail === undefined ? [] : [checkMail(adapters, config.mail, config.url, print)]),
  ]);
  const failed = rows.filter(({ state }) => state === "fails").length;
  process.stdout.write(
    failed === 0
      ? "\nEverything that is configured works.\n"
      : `\n${failed} ${failed === 1 ? "thing does" : "things do"} not work.\n`,
  );
  return failed === 0 ? 0 : 1;
}

/** Of the rows' labels those that hold a name, and so may be wider than the column usually is. */
function longLabels(config: Config): readonly string[] {
  return [
    ...[...config.projects.keys()].map((name) => `project ${name}`),
    ...[...config.releases.keys()].map((name) => `key of ${name}`),
    ...bucketsOf(config).map(({ bucket }) => bucketLabel(bucket)),
    ...config.irc.map(({ name }) => `irc ${name}`),
    ...config.slack.map(({ name }) => `slack ${name}`),
  ];
}

/** @returns whether a docker-ci is running on this folder, in which case its Redis and port are rightly taken. */
async function checkFolder(config: Config, print: (row: Row) => void): Promise<boolean> {
  try {
    await (await openDataFolder(config.dataDir))[Symbol.asyncDispose]();
    print({ what: "data folder", state: "works", detail: config.dataDir });
    return false;
  } catch (error) {
    const busy = error instanceof ConfigError && error.message.includes("another docker-ci");
    print({
      what: "data folder",
      state: busy ? "works" : "fails",
      detail: busy ? `${config.dataDir}, where a docker-ci is running` : reason(error),
    });
    return busy;
  }
}

async function checkRedis(config: Config, print: (row: Row) => void): Promise<void> {
  const what = config.redis.kind === "embedded" ? "redis (embedded)" : "redis";
  try {
    await using redis = await connectRedis(config, pino({ level: "silent" }));
    const version = /redis_version:(\S+)/.exec(await redis.commands.info("server"))?.[1] ?? "?";
    print({ what, state: "works", detail: `Redis ${version}` });
    for (const warning of redis.warnings) print({ what, state: "warning", detail: warning });
  } catch (error) {
    print({ what, state: "fails", detail: reason(error) });
  }
}

async function checkPort(
  what: string,
  key: string,
  { host, port }: Config["listen"],
  use: string,
  print: (row: Row) => void,
): Promise<void> {
  const error = await new Promise<Error | undefined>((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
  const where = `${host}:${port}`;
  if (error === undefined) print({ what, state: "works", detail: `${where} is free; ${use}` });
  else print({ what, state: "fails", detail: `${where} cannot be used (${error.message}); set ${key}` });
}

/** Who can log in to the page, which no connection tells. */
function logins({ web: { user, tokens, trustedProxy, private: isPrivate } }: Config): string {
  const ways = [
    ...(user === undefined ? [] : [user]),
    ...(tokens.size === 0 ? [] : [`tokens of ${[...tokens.keys()].join(", ")}`]),
    ...(trustedProxy?.header === undefined
      ? []
      : [`whom ${trustedProxy.addresses.join(", ")} names in ${trustedProxy.header}`]),
  ];
  if (ways.length === 0) return "nobody can, so the page only shows; web: has the keys";
  return `${ways.join("; ")}${isPrivate ? "; the page shows itself to nobody else" : ""}`;
}

async function checkEngine(adapters: Adapters, config: Config, print: (row: Row) => void): Promise<void> {
  const { runtime, revisions } = adapters.openEngine(
    config,
    await readInstance(config.dataDir),
    pino({ level: "silent" }),
    "check",
  );
  try {
    const info = await runtime.info(AbortSignal.timeout(DEADLINE_MS));
    print({
      what: "engine",
      state: "works",
      detail: `Docker ${info.version}, ${info.cpus} CPUs, builds with ${info.builder}`,
    });
  } catch (error) {
    print({ what: "engine", state: "fails", detail: reason(error) });
    return;
  }
  for (const project of config.projects.values()) {
    const what = `project ${project.name}`;
    const where = shownRepository(project.repo);
    try {
      const { sha } = await revisions.resolve(project.repo, project.branch, AbortSignal.timeout(DEADLINE_MS));
      print({ what, state: "works", detail: `${where}, ${project.branch} is at ${sha.slice(0, 7)}` });
    } catch (error) {
      print({
        what,
        state: "fails",
        detail: `${reason(error)}${error instanceof Error && error.name === "UserError" ? ` in ${where}` : ""}`,
      });
    }
  }
  await revisions[Symbol.asyncDispose]();
}

/** Connects under a nick of its own, so that a bot which is there already is not disturbed. */
async function checkIrc(adapters: Adapters, network: IrcNetwork, print: (row: Row) => void): Promise<void> {
  const what = `irc ${network.name}`;
  try {
    // Nine characters, which is all that some servers allow (RFC 2812, 1.2.1).
    await using chat = await adapters.openIrc(
      { ...network, nick: `${network.nick.slice(0, 6)}-ck` },
      pino({ level: "silent" }),
    );
    const problem = await joined(chat, network.channels.length);
    const channels = network.channels.map(({ name }) => name).join(" ");
    if (problem === undefined)
      print({ what, state: "works", detail: `${network.host}:${network.port}, in ${channels}` });
    else print({ what, state: "fails", detail: problem });
  } catch (error) {
    print({ what, state: "fails", detail: reason(error) });
  }
}

/** Both tokens and the channels, without a socket: a second one would take commands away from a bot that runs. */
async function checkSlack(adapters: Adapters, workspace: SlackWorkspace, print: (row: Row) => void): Promise<void> {
  const what = `slack ${workspace.name}`;
  try {
    const { bot, team, rooms, missing } = await adapters.probeSlack(workspace, pino({ level: "silent" }));
    if (missing.length === 0)
      print({
        what,
        state: "works",
        detail: `${bot} in ${team}, in ${rooms.length} ${rooms.length === 1 ? "channel" : "channels"}`,
      });
    else print({ what, state: "fails", detail: `${bot} is not in ${missing.join(", ")}; /invite it there` });
  } catch (error) {
    print({ what, state: "fails", detail: reason(error) });
  }
}

/** Connects, encrypts and logs in as for a mail, and sends none. */
async function checkMail(adapters: Adapters, mail: MailConfig, url: string, print: (row: Row) => void): Promise<void> {
  const what = "mail";
  await using chat = await adapters.openMail(mail, url, pino({ level: "silent" }));
  const problem = await joined(chat, 0);
  const to = mail.to.length === 0 ? "nobody: to: is empty" : mail.to.join(", ");
  if (problem === undefined) print({ what, state: "works", detail: `${mail.host}:${mail.port}, to ${to}` });
  else print({ what, state: "fails", detail: problem });
}

/** Waits until the chat is in that many rooms; else says how far it came. */
function joined(chat: Chat, count: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let last = "no answer";
    const look = (): void => {
      const { state } = chat;
      if (state.kind === "away") {
        last = state.reason;
        // A bot would try again; whoever checks wants to know now.
        if (state.reason !== "connecting") finish(last);
      } else {
        last = `connected, but only in ${state.rooms.join(" ") || "no channel"}`;
        if (state.rooms.length >= count) finish(undefined);
      }
    };
    const timer = setTimeout(() => finish(last), DEADLINE_MS);
    const forget = chat.onState(look);
    function finish(problem: string | undefined): void {
      clearTimeout(timer);
      forget();
      resolve(problem);
    }
    look();
  });
}
