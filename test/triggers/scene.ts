/** A real repository and real records, and everything that acts on what changes there. */
import type { Build } from "../../src/builds/build.ts";
import type { Config } from "../../src/config.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { GitRef, ProjectName, Sha } from "../../src/names.ts";
import { parseEntry } from "../../src/queue/outbox-entry.ts";
import type { PullRequestChanged, Pushed } from "../../src/triggers/change.ts";
import type { ForgeApis } from "../../src/triggers/forge-chat.ts";
import { look, watchedOf } from "../../src/triggers/poller.ts";
import { createTriggers, type RunningTriggers } from "../../src/triggers/triggers.ts";
import { type GitRevisions, gitRevisions } from "../support/git-revisions.ts";
import { type GitRepository, openGitRepository } from "../support/git-servers.ts";
import { configOf, NOW, openRecords, type Records } from "../support/records.ts";

export const DOCKER = ProjectName.parse("docker");
export const branch = (name: string): GitRef => GitRef.parse(name);

export interface TriggerScene extends AsyncDisposable {
  readonly repository: GitRepository;
  readonly records: Records;
  readonly revisions: GitRevisions;
  readonly triggers: RunningTriggers;
  /** Moves the clock on. */
  pass(ms: number): void;
  /** As the webhook of a push tells it. */
  pushOf(sha: string, changes?: Partial<Pushed>): Pushed;
  pullOf(number: number, sha: string, changes?: Partial<PullRequestChanged>): PullRequestChanged;
  /** One look of the poller at every repository. */
  look(): Promise<boolean[]>;
  /** Another process with the same records: what this one remembers only by itself is gone. */
  restart(): Promise<RunningTriggers>;
  /** A second process beside this one, with the same records. */
  beside(): RunningTriggers;
  /** All builds, the oldest first: `#1 main 3f2c9aa queued`, with the reason where it was cancelled. */
  builds(): Promise<string[]>;
  all(): Promise<Build[]>;
  /** The lines that wait for a room. */
  said(room: string): Promise<string[]>;
}

/** @param keys of the project `docker`. @param more projects and other keys, as lines of YAML. */
export async function openTriggers(
  keys: Record<string, unknown> = {},
  more: (repo: string) => string = () => "",
  changes: { readonly forgeApis?: (config: Config) => ForgeApis } = {},
): Promise<TriggerScene> {
  const repository = await openGitRepository();
  const project = JSON.stringify({ repo: repository.path, ...keys });
  const config = configOf(
    `url: https://ci.example.org\nirc: [{ name: fake, host: irc.example.org, channels: ["#dev"] }]\nnotify: { rooms: ["fake/#dev"] }\nprojects:\n  docker: ${project}\n${more(repository.path)}`,
  );
  const records = await openRecords(config);
  const revisions = gitRevisions();
  let now = NOW.getTime();
  const given = {
    config,
    builds: records.builds,
    redis: records.redis.commands,
    revisions,
    subscriptions: createSubscriptions(records.redis.commands, { now: () => new Date(now) }),
    clock: { now: () => new Date(now) },
    log: records.log,
    forgeApis: changes.forgeApis?.(config),
  };
  let triggers = createTriggers(given);
  const others: RunningTriggers[] = [];
  const all = async (): Promise<Build[]> => (await records.store.latest(1_000)).toReversed();
  return {
    repository,
    records,
    revisions,
    get triggers() {
      return triggers;
    },
    pass(ms) {
      now += ms;
    },
    pushOf: (sha, changes = {}) => ({
      kind: "push",
      project: DOCKER,
      by: "bob",
      branch: branch("main"),
      before: undefined,
      after: Sha.parse(sha),
      messages: ["a change"],
      files: ["a.go"],
      ...changes,
    }),
    pullOf: (number, sha, changes = {}) => ({
      kind: "pull_request",
      project: DOCKER,
      by: "mallory",
      number,
      action: "opened",
      head: Sha.parse(sha),
      into: branch("main"),
      title: "Fix a typo",
      isTrusted: false,
      isDraft: false,
      ...changes,
    }),
    look: () => {
      const scene = { ...given, signal: new AbortController().signal, see: triggers.see };
      return Promise.all(watchedOf(config).map((watched) => look(scene, watched)));
    },
    async restart() {
      await triggers[Symbol.asyncDispose]();
      triggers = createTriggers(given);
      return triggers;
    },
    beside() {
      const other = createTriggers(given);
      others.push(other);
      return other;
    },
    all,
    async builds() {
      return (await all()).map(({ number, ref, revision, state }) => {
        const reason = state.kind === "cancelled" && state.reason !== undefined ? `: ${state.reason}` : "";
        return `#${number} ${ref} ${revision?.sha.slice(0, 7)} ${state.kind}${reason}`;
      });
    },
    async said(room) {
      const entries = await records.redis.commands.lrange(`docker-ci:outbox:room:fake/${room}`, 0, -1);
      return entries.flatMap(
        (json) => parseEntry(json)?.outgoing.reply.lines.map(({ facts }) => facts.join(" · ")) ?? [],
      );
    },
    async [Symbol.asyncDispose]() {
      for (const each of [triggers, ...others]) await each[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
    },
  };
}
