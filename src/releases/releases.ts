/** What people do about releases: ask for one, approve it, reject it. The one door to their records for commands and pages. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Audit } from "../audit/audit.ts";
import type { Requester } from "../builds/build.ts";
import { SHORT_SHA } from "../builds/describe.ts";
import { createLinks } from "../chat/links.ts";
import type { Room } from "../chat/message.ts";
import { type Identity, mayAct, ownerOf } from "../chat/people.ts";
import { UserError } from "../errors.ts";
import { type GitRef, type ProjectName, WEB_NETWORK } from "../names.ts";
import { cleanName } from "../results/clean-name.ts";
import { type AnnounceDeps, releaseEntries } from "./announce.ts";
import { planDigest } from "./digest.ts";
import { makePlan, type PlanDeps, type PlanWish, resolved } from "./plan.ts";
import { isOver, type Release, type ReleaseNumber, type ReleaseState, releaseName, type Vote } from "./release.ts";
import { ReleaseBusyError, type ReleaseChanges } from "./store.ts";
import { approversIn, goodVotes, listed, planStanding, votesNeeded } from "./votes.ts";
import { releaseTitle, stateWord, untilWords } from "./words.ts";

const REASON_LENGTH = 200;

/** Held by whoever publishes a release of the project. */
export function leaseKey(project: ProjectName): string {
  return `docker-ci:release:lease:${project}`;
}

export interface ReleasesDeps extends PlanDeps, AnnounceDeps {
  readonly redis: Redis;
  readonly audit: Pick<Audit, "record">;
  readonly log: Logger;
}

export interface ReleaseWish extends Omit<PlanWish, "requester" | "ref"> {
  readonly ref?: GitRef | undefined;
  readonly requester: Requester;
  readonly identity: Identity;
  /** Names the request: within a day, those of one name get one release. */
  readonly asked?: string | undefined;
}

/** Somebody's word for or against a release. */
export interface Word {
  readonly identity: Identity;
  readonly room: Room;
  /** Names the message or form that it came with. */
  readonly asked: string;
}

export type Releases = ReturnType<typeof createReleases>;

export function createReleases(deps: ReleasesDeps) {
  const { config, store, redis, audit, clock, log } = deps;
  const links = createLinks(redis);

  async function get(number: ReleaseNumber): Promise<Release> {
    const release = await store.get(number);
    if (release !== undefined) return release;
    const [newest] = await store.latest(1);
    const hint = newest === undefined ? "There are none yet." : `The newest is ${releaseName(newest)}.`;
    throw new UserError(`there is no ${releaseName({ number })}. ${hint}`);
  }

  /** What became of a release, behind what somebody did: that is in the log already, so nothing is undone when this fails. */
  async function audited(release: Release, who: string): Promise<void> {
    const { state } = release;
    const why = "reason" in state && state.reason !== undefined ? `: ${state.reason}` : "";
    const votes = release.votes.length === 0 ? "" : `, approved by ${listed(release.votes.map(({ by }) => by))}`;
    const tests = release.plan.skipTests === true ? ", tests skipped" : "";
    const title = `${releaseTitle(release)} (${release.plan.sha.slice(0, SHORT_SHA)})`;
    const detail = `${title} ${stateWord(release)}${why}${votes}${tests}`;
    try {
      await audit.record({ who, account: null, room: null, action: "release-state", detail, outcome: "accepted" });
    } catch (error) {
      log.error({ err: error, release: release.number, detail }, "what became of a release could not be audited");
    }
  }

  /** Undefined when somebody else was quicker. */
  async function change(
    before: Release,
    changes: ReleaseChanges,
    who: string,
    said?: Room,
  ): Promise<Release | undefined> {
    const entries = await releaseEntries(deps, { ...before, ...changes }, said);
    const next = await store.change(before, changes, entries);
    if (next === undefined) return undefined;
    log.info({ release: next.number, project: next.plan.project, state: next.state.kind, by: who }, "release changed");
    if (changes.state !== undefined) await audited(next, who);
    return next;
  }

  function hasExpired({ state }: Release): boolean {
    return state.kind === "waiting" && clock.now() >= new Date(state.expiresAt);
  }

  /** As it is by now: one whose time is up ends with the first look at it. */
  async function current(number: ReleaseNumber): Promise<Release> {
    for (;;) {
      const release = await get(number);
      if (!hasExpired(release)) return release;
      const state = { kind: "expired", finishedAt: clock.now().toISOString() } as const;
      const next = await change(release, { state }, "docker-ci");
      if (next !== undefined) return next;
    }
  }

  /** Ends one that cannot be approved any more, and says so. */
  async function refuse(before: Release, reason: string): Promise<never> {
    const state = { kind: "refused", finishedAt: clock.now().toISOString(), reason } as const;
    await change(before, { state }, "docker-ci");
    throw new UserError(`${reason}, so ${releaseName(before)} is refused; ask again: ${again(before)}`);
  }

  /** Whether who votes is who asked, on whichever network either was said. */
  async function isRequester({ identity }: Word, { askedBy, requester }: Release): Promise<boolean> {
    if (askedBy === identity.key || requester.name.toLowerCase() === identity.name.toLowerCase()) return true;
    if (requester.account === undefined || requester.network === WEB_NETWORK) return false;
    // An account that was linked after it had asked is the person's all the same.
    const { network, account } = requester;
    return ownerOf(config, await links.all(), { network, account }).key === identity.key;
  }

  /** The name of the person who votes. @throws UserError for somebody whose vote does not count. */
  async function voter(word: Word, release: Release): Promise<string> {
    const { identity } = word;
    const name = releaseName(release);
    if (!mayAct(identity, "approver"))
      throw new UserError(`to approve takes the role approver; ${identity.because}. ${identity.advice}`);
    const person = approversIn(config).find((each) => identity.key === `person:${each.name}`);
    if (person === undefined) {
      const advice =
        identity.advice === "" ? "Approve from an account that people: names, or on the page." : identity.advice;
      throw new UserError(`only people are counted, and ${identity.because}. ${advice}`);
    }
    const own = config.releases.get(release.plan.project)?.ownApproval === true;
    if (!own && (await isRequester(word, release)))
      throw new UserError(`you asked for ${name}, so others must approve it.`);
    const before = goodVotes(release, config).find(({ by }) => by === person.name);
    if (before !== undefined)
      throw new UserError(`${name} has your approval already (on ${before.network}); each person counts once.`);
    return person.name;
  }

  /** @throws UserError for one that no vote can change. */
  function mustWait(release: Release): void {
    const { state } = release;
    if (state.kind === "waiting") return;
    const name = releaseName(release);
    if (state.kind === "publishing")
      throw new UserError(`${name} is approved and being published (step ${state.step}).`);
    if (state.kind === "expired")
      throw new UserError(`${name} expired at ${untilWords(state.finishedAt, config)}; ask again: ${again(release)}`);
    if (state.kind === "rejected") throw new UserError(`${name} was rejected by ${state.by}.`);
    throw new UserError(`${name} is over: ${state.kind}.`);
  }

  function again({ plan: { kind, project, version, noLatest, skipTests } }: Release): string {
    const switches = `${noLatest === true ? " --no-latest" : ""}${skipTests === true ? " --skip-tests" : ""}`;
    return `${config.prefix}${kind} ${project} ${version}${switches}`;
  }

  /** A commit that came since is not what was asked for. */
  async function checkRef(release: Release): Promise<void> {
    const { plan } = release;
    const project = config.projects.get(plan.project);
    if (plan.kind === "rollback" || project === undefined) return;
    let sha: string | undefined;
    try {
      ({ sha } = await resolved(deps, project, plan.ref));
    } catch (error) {
      if (!(error instanceof UserError) || deps.revisions === undefined) throw error;
    }
    if (sha === plan.sha) return;
    const where = sha === undefined ? "is gone" : `moved to ${sha.slice(0, SHORT_SHA)}`;
    await refuse(release, `${plan.ref} ${where} since ${releaseName(release)} was asked for`);
  }

  function inTheWay(release: Release): UserError {
    const name = releaseName(release);
    const how = release.state.kind === "waiting" ? `${config.prefix}reject ${name} ends it` : "wait for its end";
    return new UserError(`${releaseTitle(release)} ${stateWord(release)}, and a project has one at a time: ${how}.`);
  }

  return {
    /** As it is by now. @throws UserError where there is none of that number. */
    get: current,
    latest: store.latest,

    /** Those that wait for approvals, the oldest first. */
    async waiting(): Promise<Release[]> {
      const open = await store.open();
      return open.filter((release) => release.state.kind === "waiting" && !hasExpired(release));
    },

    /** @throws UserError for what cannot be released, or while another release of the project is not over. */
    async request({ requester, identity, asked, ...wish }: ReleaseWish): Promise<Release> {
      const before = asked === undefined ? undefined : await store.asked(asked);
      if (before !== undefined) return before;
      const { name: project } = deps.builds.project(wish.project);
      const busy = await store.underWay(project);
      const other = busy === undefined ? undefined : await current(busy.number);
      if (other !== undefined && !isOver(other)) throw inTheWay(other);
      const isPerson = identity.key.startsWith("person:");
      const plan = await makePlan(deps, { ...wish, requester: isPerson ? identity.name : undefined });
      const now = clock.now();
      const expiresMs = config.releases.get(project)?.expiresMs ?? 0;
      const draft: Omit<Release, "number" | "change"> = {
        origin: "person",
        plan,
        digest: planDigest(plan),
        requester,
        askedBy: identity.key,
        requestedAt: now.toISOString(),
        votes: [],
        state: { kind: "waiting", expiresAt: new Date(now.getTime() + expiresMs).toISOString() },
      };
      try {
        const release = await store.create(draft, asked, (number) =>
          releaseEntries(deps, { ...draft, number }, requester.room),
        );
        await audited(release, identity.name);
        return release;
      } catch (error) {
        if (error instanceof ReleaseBusyError && error.release !== undefined) throw inTheWay(error.release);
        throw error;
      }
    },

    /**
     * Counts somebody's vote; the last one that it takes hands the release over to whoever publishes. Brought again, it counts once.
     * @throws UserError for a vote that does not count, or for a release that cannot be approved any more, which ends with that.
     */
    async approve(number: ReleaseNumber, word: Word): Promise<Release> {
      for (;;) {
        const release = await current(number);
        if (release.votes.some(({ asked }) => asked === word.asked)) return release;
        mustWait(release);
        const by = await voter(word, release);
        const plan = planStanding(release, config);
        if (!plan.good) return await refuse(release, plan.refused);
        await checkRef(release);
        const at = clock.now().toISOString();
        const vote: Vote = { by, network: word.room.network, at, digest: release.digest, asked: word.asked };
        const votes = [...release.votes.filter((other) => other.by !== by), vote];
        const isEnough = goodVotes({ ...release, votes }, config).length >= votesNeeded(release, config);
        const state: ReleaseState = isEnough ? { kind: "publishing", startedAt: at, step: "check" } : release.state;
        const next = await change(release, { votes, ...(isEnough ? { state } : {}) }, by, word.room);
        if (next !== undefined) return next;
      }
    },

    /** Ends one that waits: an approver rejects it, who asked withdraws it. Brought again, it is what it was. */
    async reject(number: ReleaseNumber, word: Word, reason: string | undefined): Promise<Release> {
      const by = cleanName(word.identity.name);
      for (;;) {
        const release = await current(number);
        if (release.state.kind === "rejected" && release.state.by === by) return release;
        if (!mayAct(word.identity, "approver") && !(await isRequester(word, release))) {
          const { because, advice } = word.identity;
          throw new UserError(`to reject takes the role approver, or having asked for it; ${because}. ${advice}`);
        }
        mustWait(release);
        const clean = reason === undefined ? "" : cleanName(reason).slice(0, REASON_LENGTH);
        const finishedAt = clock.now().toISOString();
        const state = { kind: "rejected", finishedAt, by, ...(clean === "" ? {} : { reason: clean }) } as const;
        const next = await change(release, { state }, by, word.room);
        if (next !== undefined) return next;
      }
    },

    /**
     * Takes the lease of a project's releases from whoever holds it, alive or not.
     * @returns the project, and whether somebody held it.
     */
    async unlock(name: string): Promise<{ readonly project: ProjectName; readonly wasHeld: boolean }> {
      const { name: project } = deps.builds.project(name);
      const wasHeld = (await redis.del(leaseKey(project))) === 1;
      log.warn({ project, wasHeld }, "the lease of a project's releases was taken away");
      return { project, wasHeld };
    },

    /** Ends those whose time is up. */
    async expireDue(): Promise<void> {
      for (const release of await store.open()) if (hasExpired(release)) await current(release.number);
    },
  };
}
