/**
 * What can be changed from the page and over the API, by the rules of chat: the same roles, and an entry in the audit log before
 * anything is done.
 */
import { followAct } from "../../audit/trail.ts";
import { type Build, isFinished } from "../../builds/build.ts";
import type { Builds, CancelOutcome } from "../../builds/builds.ts";
import { SHORT_SHA } from "../../builds/describe.ts";
import { pullRequestName } from "../../builds/pull-request.ts";
import { mayAct } from "../../chat/people.ts";
import type { Role } from "../../config.ts";
import { UserError } from "../../errors.ts";
import { type BuildNumber, GitRef, ProjectName, type Sha, WEB_NETWORK } from "../../names.ts";
import type { BuildEvent } from "../../pipeline/build-event.ts";
import { type Release, type ReleaseNumber, releaseName } from "../../releases/release.ts";
import type { Allowed } from "../../triggers/allow-pull-request.ts";
import type { WebDeps } from "../deps.ts";
import { type Visitor, webRequester } from "../login/visitor.ts";

/** Somebody who is known may not do it. The message is a sentence for them. */
export class ForbiddenError extends Error {
  override readonly name = "ForbiddenError";
}

export interface BuildWish {
  readonly project: string;
  /** Default: the project's branch. */
  readonly ref?: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly event?: BuildEvent;
  /** Names the wish: within a day, those of one name get one build. */
  readonly asked?: string | undefined;
}

/** As somebody typed it. */
export interface ReleaseWish {
  readonly project: string;
  readonly version: string;
  /** Default: the project's branch. */
  readonly ref?: string | undefined;
  readonly force: boolean;
  readonly noLatest: boolean;
  /** Names the wish: within a day, those of one name get one release. */
  readonly asked: string;
}

export interface Acts {
  build(visitor: Visitor, wish: BuildWish): Promise<Build>;
  rebuild(visitor: Visitor, number: BuildNumber, onlyFailed: boolean, asked?: string): Promise<Build>;
  cancel(visitor: Visitor, number: BuildNumber, reason: string | undefined): Promise<CancelOutcome>;
  /** Lets one head of an outsider's pull request run. @param asked names the wish. */
  okToTest(visitor: Visitor, project: string, number: number, head: Sha, asked: string): Promise<Allowed>;
  /** Asks for a version to be published. */
  release(visitor: Visitor, wish: ReleaseWish): Promise<Release>;
  /** A vote for a release. @param asked names the vote. */
  approve(visitor: Visitor, number: ReleaseNumber, asked: string): Promise<Release>;
  /** Ends a release that waits for approvals. */
  reject(visitor: Visitor, number: ReleaseNumber, reason: string | undefined, asked: string): Promise<Release>;
}

/** @throws from all: ForbiddenError without the role, UserError for what cannot be done, RuntimeError where the machinery fails. */
export function createActs({
  builds,
  pullRequests,
  releases,
  audit,
  log,
}: Pick<WebDeps, "audit" | "log" | "pullRequests" | "releases"> & { readonly builds: Builds }): Acts {
  async function act<T>(
    visitor: Visitor,
    action: string,
    shown: string,
    work: () => Promise<T>,
    role: Role = "developer",
  ): Promise<T> {
    const { identity, account, address } = visitor;
    const who = { who: identity.name, account: `${WEB_NETWORK}/${account}`, room: `${WEB_NETWORK}/${address}` };
    const trail = followAct(audit, { ...who, action }, shown, log);
    if (!mayAct(identity, role)) {
      await trail.forbidden(`takes the role ${role}`);
      throw new ForbiddenError(`To ${action} takes the role ${role}; ${identity.because}. ${identity.advice}`);
    }
    await trail.begins();
    try {
      return await work();
    } catch (error) {
      const outcome = error instanceof UserError ? "refused" : "failed";
      await trail.ended(outcome, error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  return {
    build(visitor, { project: name, ref, params, event, asked }) {
      const names = Object.keys(params).map((key) => `${key}=…`);
      return act(visitor, "build", [name, ...(ref === undefined ? [] : [ref]), ...names].join(" "), async () => {
        const project = builds.project(name);
        return builds.request({
          project: ProjectName.parse(project.name),
          ref: readRef(ref) ?? project.branch,
          requester: webRequester(visitor),
          params,
          ...(event === undefined ? {} : { event }),
          asked,
        });
      });
    },
    rebuild: (visitor, number, onlyFailed, asked) =>
      act(visitor, "rebuild", `${number}${onlyFailed ? " failed" : ""}`, () =>
        builds.rebuild(number, webRequester(visitor), onlyFailed, asked),
      ),
    cancel: (visitor, number, reason) =>
      act(visitor, "cancel", [number, ...(reason === undefined ? [] : [reason])].join(" "), async () => {
        const outcome = await builds.cancel(number, visitor.identity.name, reason);
        if (outcome.kind === "over" && isFinished(outcome.build))
          throw new UserError(`#${number} is over already: ${outcome.build.state.kind}.`);
        return outcome;
      }),
    okToTest: (visitor, project, number, head, asked) =>
      act(visitor, "ok-to-test", `${project} ${pullRequestName(number)} ${head.slice(0, SHORT_SHA)}`, async () =>
        pullRequests.allow(builds.project(project), number, { by: visitor.identity.name, sha: head, asked }),
      ),
    release(visitor, { ref, force, noLatest, ...wish }) {
      const options = [force ? "--force" : "", noLatest ? "--no-latest" : ""];
      const shown = [wish.project, wish.version, ref ?? "", ...options].filter((word) => word !== "").join(" ");
      const who = { requester: webRequester(visitor), identity: visitor.identity };
      return act(visitor, "release", shown, async () =>
        releases.request({ ...wish, kind: "release", ref: readRef(ref), force, noLatest, ...who }),
      );
    },
    approve: (visitor, number, asked) =>
      act(
        visitor,
        "approve",
        releaseName({ number }),
        () => releases.approve(number, wordOf(visitor, asked)),
        "approver",
      ),
    reject(visitor, number, reason, asked) {
      const shown = [releaseName({ number }), ...(reason === undefined ? [] : [reason])].join(" ");
      // Who asked for it may as well, which is looked at inside.
      const role = mayAct(visitor.identity, "approver") ? "approver" : "developer";
      return act(visitor, "reject", shown, () => releases.reject(number, wordOf(visitor, asked), reason), role);
    },
  };
}

function wordOf(visitor: Visitor, asked: string) {
  return { identity: visitor.identity, room: webRequester(visitor).room, asked };
}

/** @throws UserError for what cannot be one. */
function readRef(text: string | undefined): GitRef | undefined {
  if (text === undefined) return undefined;
  const ref = GitRef.safeParse(text);
  if (ref.success) return ref.data;
  throw new UserError(`"${text}" cannot be the name of a branch, tag or commit.`);
}
