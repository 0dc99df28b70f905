/** What a commit is told of its builds: one status for each project, in the forge's four words. */
import { type Build, durationMs, type FinishedBuild, isFinished } from "../builds/build.ts";
import { buildKey, buildUrl, resultLine } from "../builds/describe.ts";
import { line, type Reply } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { CommitStatus, StatusState } from "../forge.ts";
import type { ProjectName } from "../names.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { cleanName } from "../results/clean-name.ts";
import type { Revision } from "../revisions.ts";
import { formatDuration } from "../units.ts";
import { commitRoom, type ForgeConfig, forgeAccess, pullRequestRoom } from "./forge-rooms.ts";

/** GitHub's limit. */
const DESCRIPTION_LENGTH = 140;
/** What failed keeps at least that much of the line, whatever stands behind it. */
const FIRST_FACT_LENGTH = 60;
/** GitHub refuses a status with a character beyond the first 65,536, such as an emoji. */
const ASTRAL = /[\u{10000}-\u{10FFFF}]/gu;

const STATES: Readonly<Record<Build["state"]["kind"], StatusState>> = {
  queued: "pending",
  running: "pending",
  passed: "success",
  failed: "failure",
  errored: "error",
  cancelled: "error",
};

/** Names the check: the same context again replaces what it said before. */
export function statusContext(project: ProjectName): string {
  return `docker-ci/${project}`;
}

/** What the commit of a build is told of it as it is now. */
export function statusOf(build: Build & { readonly revision: Revision }, url: string): CommitStatus {
  return {
    sha: build.revision.sha,
    state: STATES[build.state.kind],
    description: description(build, url),
    url: buildUrl(url, build.number),
    context: statusContext(build.project),
  };
}

/** `2 of 1,204 tests: TestBlobUpload · coverage 61.7% (-0.2)`; cut in what failed, so that the rest is seen. */
function description(build: Build, url: string): string {
  const [first = "", ...rest] = factsOf(build, url).map((fact) => cleanName(fact).replace(ASTRAL, "?"));
  const others = rest.map((fact) => ` · ${fact}`).join("");
  const room = Math.max(FIRST_FACT_LENGTH, DESCRIPTION_LENGTH - others.length);
  return cut(`${cut(first, room)}${others}`, DESCRIPTION_LENGTH);
}

function factsOf(build: Build, url: string): readonly string[] {
  const { state, number } = build;
  if (!isFinished(build)) return [`#${number} ${state.kind === "running" ? "runs" : "is queued"}`];
  return outcomeFacts(build, url);
}

/** How a build ended, without its name and revision, which whoever looks at a commit or a pull request knows. */
export function outcomeFacts(build: FinishedBuild, url: string): readonly string[] {
  const { state } = build;
  switch (state.kind) {
    case "passed":
      return [`passed in ${formatDuration(durationMs(build))}`, ...resultLine(build, url).facts.slice(2)];
    case "failed":
      return resultLine(build, url).facts.slice(2);
    case "errored":
      return [`could not run: ${state.reason}`];
    case "cancelled":
      return [`cancelled by ${state.by}${state.reason === undefined ? "" : `: ${state.reason}`}`];
    default:
      return state satisfies never;
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/**
 * Gives what is put up for the forge when a build changes, in the step that changes it: a status where its state is another one, and
 * at its end a comment where they are wanted. The entries only wake: what is said is how the build is by then (forge-chat.ts).
 */
export function statusEntries(config: ForgeConfig, clock: Clock) {
  return (build: Build, before: Build | undefined): OutboxEntry[] => {
    const { revision, state } = build;
    const forge = config.projects.get(build.project)?.forge;
    const access = forgeAccess(config, forge);
    if (revision === undefined || forge === undefined || access === undefined) return [];
    if (before?.state.kind === state.kind && before.revision !== undefined) return [];
    const { description: said, url } = statusOf({ ...build, revision }, config.url);
    const reply: Reply = { lines: [line(state.kind, [said], url)], key: buildKey(build.number) };
    const entry = (room: OutboxEntry["outgoing"]["room"]): OutboxEntry => ({
      id: `build-${build.number}-${state.kind}`,
      at: clock.now().toISOString(),
      outgoing: { room, reply, priority: "notice" },
    });
    const { pullRequest } = revision;
    const comment = access.comment && pullRequest !== undefined && isFinished(build);
    return [
      ...(access.statuses ? [entry(commitRoom(forge, revision.sha))] : []),
      ...(comment ? [entry(pullRequestRoom(forge, pullRequest.number))] : []),
    ];
  };
}
