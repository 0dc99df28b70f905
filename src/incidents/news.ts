/**
 * Makes the news of builds that ended: keeps the incidents, and puts the notices into the outbox. One at a time and in the order in
 * which they ended; what a crash interrupts is done again from the beginning, and has had no effect before.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type FinishedBuild, isFinished } from "../builds/build.ts";
import type { Builds } from "../builds/builds.ts";
import { resultReply } from "../builds/describe.ts";
import { branchOf } from "../builds/expected.ts";
import { plainText } from "../builds/plain-text.ts";
import { type Room, roomKey } from "../chat/message.ts";
import type { Reply } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { describeError } from "../errors.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { failingLines } from "../results/test-words.ts";
import type { Revisions } from "../revisions.ts";
import { incidentName, noticeOf } from "./describe.ts";
import { type Incident, judge, type News, suspectOf } from "./incident.ts";
import type { Ledger } from "./ledger.ts";
import { recipients } from "./recipients.ts";
import type { Subscriptions, Watcher } from "./subscriptions.ts";

/** Looked at this often even when nothing was heard. */
const SWEEP_MS = 2_000;
/** Suspects are a courtesy: a git server that is slow does not hold the news up. */
const SUSPECTS_TIMEOUT_MS = 10_000;
/** The lines of the log that a mail carries. */
const MAIL_LOG_LINES = 40;

export interface NewsDeps {
  readonly config: Config;
  readonly builds: Builds;
  readonly ledger: Ledger;
  readonly subscriptions: Subscriptions;
  readonly revisions: Revisions | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** The last lines of a build's log; undefined when this machine has none. */
  logLines(number: number, count: number): Promise<readonly { readonly text: string }[] | undefined>;
}

/** @param subscriber a connection of its own, in subscriber mode from now on; not closed here. */
export async function startNews(deps: NewsDeps, subscriber: Redis, eventChannel: string): Promise<AsyncDisposable> {
  const stopped = new AbortController();
  let wake = new AbortController();
  subscriber.on("message", () => wake.abort());
  await subscriber.subscribe(eventChannel);

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      wake = new AbortController();
      try {
        while (!stopped.signal.aborted && (await makeNext(deps))) {
          // Until the list is empty.
        }
      } catch (error) {
        deps.log.error({ err: error }, "news could not be made; looking again");
      }
      // An abort only ends the wait.
      await sleep(SWEEP_MS, undefined, { signal: AbortSignal.any([wake.signal, stopped.signal]) }).catch(
        () => undefined,
      );
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await Promise.race([running, sleep(SUSPECTS_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

/** @returns whether there was a build to make news of. */
async function makeNext(deps: NewsDeps): Promise<boolean> {
  const { builds, ledger, clock } = deps;
  const number = await ledger.nextFinished();
  if (number === undefined) return false;
  const build = await builds.get(number);
  if (!isFinished(build)) throw new Error(`#${number} is listed as ended and is ${build.state.kind}`);
  const branch = branchOf(build);
  const before = await ledger.read(build.project, branch);
  const verdict = judge(build, before.state, clock.now());
  const { next, news } = await withSuspects(deps, build, verdict);
  const entries = await noticesOf(deps, build, news);
  await ledger.settleBuild(number, build.project, branch, before, next, entries);
  return true;
}

/** Fills in who is suspected of a new incident. */
async function withSuspects(
  deps: NewsDeps,
  build: FinishedBuild,
  verdict: ReturnType<typeof judge>,
): Promise<ReturnType<typeof judge>> {
  const { next, news } = verdict;
  if (news.event !== "broken") return verdict;
  const incident: Incident = { ...news.incident, suspects: await suspectsOf(deps, build, news.incident) };
  return { next: { ...next, incident }, news: { event: "broken", incident } };
}

async function suspectsOf(
  { config, revisions, log }: NewsDeps,
  build: FinishedBuild,
  incident: Incident,
): Promise<Incident["suspects"]> {
  const repo = config.projects.get(build.project)?.repo;
  const { lastGood, firstBad } = incident;
  if (repo === undefined || revisions === undefined || lastGood === undefined) return [];
  try {
    const signal = AbortSignal.timeout(SUSPECTS_TIMEOUT_MS);
    return (await revisions.between(repo, lastGood.sha, firstBad.sha, signal)).map(suspectOf);
  } catch (error) {
    log.warn({ reason: describeError(error), build: build.number }, "no suspects");
    return [];
  }
}

/** A mail has room for what a line of chat has not: of what did not pass the failing tests, and the end of the log. */
async function asMail({ logLines }: NewsDeps, build: FinishedBuild, notice: Reply): Promise<Reply> {
  if (build.state.kind === "passed") return notice;
  const tail = (await logLines(build.number, MAIL_LOG_LINES)) ?? [];
  const tests = build.state.kind === "failed" && build.results?.tests !== undefined ? build.results.tests : undefined;
  const failing = tests === undefined ? [] : failingLines(tests);
  const verbatim = [
    ...failing,
    ...(failing.length > 0 && tail.length > 0 ? [""] : []),
    ...tail.map(({ text }) => plainText(text)),
  ];
  return verbatim.length === 0 ? notice : { ...notice, verbatim };
}

/** The entries for every room that hears of it, and for those who watch this build. */
async function noticesOf(deps: NewsDeps, build: FinishedBuild, news: News): Promise<OutboxEntry[]> {
  const { config, subscriptions, clock } = deps;
  const at = clock.now();
  const mainBranch = config.projects.get(build.project)?.branch;
  const { revision, project } = build;
  const branch = revision?.kind === "branch" ? revision.ref : mainBranch;
  const name = incidentName({ project, branch }, mainBranch);
  const scene = { name, url: config.url, prefix: config.prefix, at };
  const asker = roomKey(build.requester.room);
  const entry = (room: Room, reply: Reply, who: Partial<Omit<Watcher, "room">> = {}): OutboxEntry => ({
    id: `build-${build.number}-${news.event}`,
    at: at.toISOString(),
    about: name,
    outgoing: { room, reply, priority: who.to === undefined ? "notice" : "answer", ...who },
  });

  const entries: OutboxEntry[] = [];
  const told = new Set([asker]);
  for (const room of await recipients(config, subscriptions, build, news)) {
    const notice = noticeOf(build, news, roomKey(room) === asker, scene);
    told.add(roomKey(room));
    if (notice === undefined) continue;
    entries.push(entry(room, room.network === "mail" ? await asMail(deps, build, notice) : notice));
  }
  for (const { room, ...who } of await subscriptions.watchersOf(build.number)) {
    if (!told.has(roomKey(room))) entries.push(entry(room, resultReply(build, config.url), who));
  }
  return entries;
}
