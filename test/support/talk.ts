/** People talking to docker-ci in a fake chat, with real records behind it. */
import type { Readable } from "node:stream";
import type { Redis } from "ioredis";
import { commands as allCommands } from "../../commands/index.ts";
import type { LogLine } from "../../src/builds/log-files.ts";
import type { Command, CommandServices } from "../../src/chat/command.ts";
import { createDispatcher, type Dispatcher, type Handled } from "../../src/chat/dispatch.ts";
import type { Room } from "../../src/chat/message.ts";
import type { Clock } from "../../src/clock.ts";
import { UserError } from "../../src/errors.ts";
import { createFlakyLedger } from "../../src/flaky/ledger.ts";
import { createQuarantine } from "../../src/flaky/quarantine.ts";
import { createIncidents } from "../../src/incidents/incidents.ts";
import { createLedger } from "../../src/incidents/ledger.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { readOutbox } from "../../src/queue/outbox-rooms.ts";
import type { WorkerStatus } from "../../src/queue/worker-status.ts";
import type { VerifyRelease } from "../../src/releases/publish/verify-release.ts";
import type { Releases } from "../../src/releases/releases.ts";
import { openResults } from "../../src/results/results.ts";
import { createRetention } from "../../src/retention/retention.ts";
import { createSchedules } from "../../src/schedules/schedules.ts";
import type { PullRequests } from "../../src/triggers/allow-pull-request.ts";
import { FakeChat } from "./fake-chat.ts";
import { pruneScene } from "./prune-scene.ts";
import { clock, NOW, type Records } from "./records.ts";
import { openReleases } from "./releases.ts";

export interface Said {
  readonly nick?: string;
  readonly account?: string;
  readonly room?: string;
  readonly kind?: Room["kind"];
  /** As the network numbers its messages. */
  readonly id?: string;
  readonly trusted?: boolean;
  /** Done, and not said. */
  readonly action?: boolean;
}

export interface Talk {
  readonly chat: FakeChat;
  readonly dispatcher: Dispatcher;
  /** Who asked for a shutdown. */
  readonly stoppedBy: string[];
  say(text: string, who?: Said): Promise<Handled>;
  /** Says it and gives the lines of the answer, without the address at their beginning. */
  ask(text: string, who?: Said): Promise<string[]>;
}

export const WORKER: WorkerStatus = {
  name: "big-1",
  engine: "Docker Engine: Docker 20.10.24, 2 CPUs",
  slots: 2,
  active: [],
  seenAt: NOW.toISOString(),
  version: "1.0.0",
  labels: ["amd64"],
  draining: false,
};

/** None waits. */
export const NO_PULL_REQUESTS: PullRequests = {
  waiting: async () => [],
  changes: async () => undefined,
  async allow(project, number) {
    throw new UserError(`no PR#${number} of ${project.name} waits.`);
  },
};

/** Messages so far, on any network: each has an id of its own. */
let spoken = 0;

export function openTalk(
  records: Records,
  {
    commands = allCommands,
    network = "fake",
    workers = [WORKER],
    logLines = async () => undefined,
    openLog = async () => undefined,
    connection = records.redis.commands,
    time = clock,
    beside = [],
    pullRequests = NO_PULL_REQUESTS,
    releases,
    mailReport,
    backups,
    verifyRelease,
  }: {
    commands?: readonly Command[];
    network?: string;
    workers?: readonly WorkerStatus[];
    logLines?: (number: number, count: number, pattern?: RegExp) => Promise<readonly LogLine[] | undefined>;
    openLog?: (number: number) => Promise<Readable | undefined>;
    connection?: Redis;
    time?: Clock;
    /** Chats of the same docker-ci on other networks. */
    beside?: readonly FakeChat[];
    pullRequests?: PullRequests;
    releases?: Releases;
    mailReport?: CommandServices["mailReport"];
    backups?: CommandServices["backups"];
    verifyRelease?: VerifyRelease;
  } = {},
): Talk {
  const { config, builds, redis, log } = records;
  const chat = new FakeChat(network);
  const stoppedBy: string[] = [];
  const subscriptions = createSubscriptions(redis.commands, clock);
  const services: CommandServices = {
    config,
    builds,
    incidents: createIncidents({ config, ledger: createLedger(redis.commands), subscriptions, clock }),
    subscriptions,
    flaky: createFlakyLedger(redis.commands, time),
    quarantine: createQuarantine(redis.commands, time),
    schedules: createSchedules(config, redis.commands),
    pullRequests,
    releases: releases ?? openReleases(records, undefined, time).releases,
    results: openResults(config.dataDir, (fields, message) => log.warn(fields, message)),
    retention: createRetention(pruneScene(records, time), async () => []),
    chats: new Map([chat, ...beside].map((each) => [each.network, each])),
    clock: time,
    version: "1.0.0",
    startedAt: new Date(NOW.getTime() - 7_500_000),
    commands,
    workers: async () => workers,
    outbox: () => readOutbox(redis.commands, new Map([[chat.network, chat]])),
    logLines,
    openLog,
    ...(mailReport === undefined ? {} : { mailReport }),
    ...(backups === undefined ? {} : { backups }),
    ...(verifyRelease === undefined ? {} : { verifyRelease }),
    shutdown: (by) => stoppedBy.push(by),
  };
  const dispatcher = createDispatcher(services, connection, log);
  const say: Talk["say"] = (
    text,
    { nick = "ada", account, room = "#dev", kind = "channel", id, trusted = false, action = false } = {},
  ) => {
    spoken += 1;
    const message = {
      id: id ?? `message-${spoken}`,
      room: chat.room(room, kind),
      speaker: { network: chat.network, displayName: nick, account, trusted },
      text,
      botName: "docker-ci",
      ...(action ? { action } : {}),
    };
    return dispatcher.handle(message, chat);
  };
  return {
    chat,
    dispatcher,
    stoppedBy,
    say,
    async ask(text, who) {
      const before = chat.sent.length;
      await say(text, who);
      const to = `${who?.nick ?? "ada"}: `;
      return chat.linesSince(before).map((line) => (line.startsWith(to) ? line.slice(to.length) : line));
    },
  };
}
