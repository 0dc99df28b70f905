/** Acts on what changed in repositories, whoever told: what is told twice is done once, and each branch in its order. */
import { z } from "zod";
import type { Project } from "../config.ts";
import { RuntimeError, UserError } from "../errors.ts";
import { BuildNumber } from "../names.ts";
import { isRedisAway } from "../queue/redis.ts";
import { createPullRequests, type PullRequests } from "./allow-pull-request.ts";
import type { Change, Pushed, Taken, Triggers } from "./change.ts";
import { whyNoCollaborator } from "./collaborators.ts";
import { createDebounce } from "./debounce.ts";
import { createLanes } from "./lanes.ts";
import { takeComment, takePullRequest } from "./pull-requests.ts";
import { takePush, takeTag } from "./pushes.ts";
import { hasPathRules, isBranchWanted, whyNotBuilt } from "./rules.ts";
import type { Scene } from "./scene.ts";
import { listSkipped, type Skipped } from "./skipped.ts";

const DELIVERY_S = 3 * 86_400;
/** Each asks git a question or two; more at a time only make each slower. */
const LANES = 4;

const Numbers = z.array(BuildNumber);
const KeptTaken = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("built"), builds: Numbers }),
  z.strictObject({ kind: z.literal("cancelled"), builds: Numbers }),
  z.strictObject({ kind: z.literal("skipped"), reason: z.string() }),
  z.strictObject({ kind: z.literal("waits"), reason: z.string() }),
]);

export interface RunningTriggers extends Triggers, AsyncDisposable {
  readonly pullRequests: PullRequests;
  /** Acts on what was seen by looking: that is no delivery, and the same head is not built twice in any case. */
  see(change: Change): Promise<Taken>;
  /** What was not built lately and why, the newest first. */
  skipped(): Promise<Skipped[]>;
}

/** Disposing ends what is at work, which is done when it is told again or looked at again. */
export function createTriggers(given: Omit<Scene, "signal">): RunningTriggers {
  const stopped = new AbortController();
  const scene: Scene = { ...given, signal: stopped.signal };
  const { config, redis } = scene;
  const lanes = createLanes(LANES);
  const pullRequests = createPullRequests(scene);
  /** Pushes that wait for their turn or are at work, by lane, in the order in which they came. */
  const pushes = new Map<string, Pushed[]>();
  const debounce = createDebounce(scene, pushed, (push) => inLane(push, () => pushed(push)));

  async function pushed(push: Pushed): Promise<Taken> {
    const project = config.projects.get(push.project);
    if (project === undefined) return unknownProject(push);
    return takePush(scene, project, push, () => {
      const line = pushes.get(laneOf(push)) ?? [];
      // One that follows upon this: what comes later in the line may be the same push told again, or an older one told late.
      return line.slice(line.indexOf(push) + 1).some((newer) => newer.before === push.after && isSure(project, newer));
    });
  }

  async function act(change: Change, delivery: string | undefined): Promise<Taken> {
    const project = config.projects.get(change.project);
    if (project === undefined) return unknownProject(change);
    switch (change.kind) {
      case "push":
        return project.debounceMs === undefined ? pushed(change) : debounce.offer(project, change);
      case "tag":
        return takeTag(scene, project, change);
      case "pull_request":
        return takePullRequest(scene, project, change);
      case "comment": {
        const reason = await whyNoCollaborator(scene, project, change);
        if (reason !== undefined) return { kind: "skipped", reason };
        if (change.command !== "ok-to-test") return takeComment(scene, project, change, delivery ?? "");
        const asked = `comment:${project.name}:${delivery ?? ""}`;
        try {
          const { build } = await pullRequests.allow(project, change.number, { by: change.by, asked });
          return { kind: "built", builds: [build] };
        } catch (error) {
          if (error instanceof UserError) return { kind: "skipped", reason: error.message };
          throw error;
        }
      }
      default:
        return change satisfies never;
    }
  }

  async function inLane(change: Change, work: () => Promise<Taken>): Promise<Taken> {
    const lane = laneOf(change);
    const line = pushes.get(lane) ?? [];
    if (change.kind === "push") {
      pushes.set(lane, line);
      line.push(change);
    }
    try {
      return await lanes.run(lane, async () => {
        stopped.signal.throwIfAborted();
        return work();
      });
    } catch (error) {
      if (isRedisAway(error)) throw new RuntimeError("Redis does not answer", { cause: error });
      if (stopped.signal.aborted) throw new RuntimeError("docker-ci is stopping", { cause: error });
      throw error;
    } finally {
      if (change.kind === "push") line.splice(line.indexOf(change), 1);
      if (line.length === 0 && pushes.get(lane) === line) pushes.delete(lane);
    }
  }

  return {
    pullRequests,
    skipped: () => listSkipped(redis),
    see: (change) => inLane(change, () => act(change, undefined)),
    take: (change, delivery) =>
      inLane(change, async () => {
        // Remembered only when it is done: what a kill cut short is done again, and comes to the same builds.
        const key = `docker-ci:triggers:delivery:${delivery}:${laneOf(change)}`;
        const before = await redis.get(key);
        if (before !== null) return KeptTaken.parse(JSON.parse(before));
        const taken = await act(change, delivery);
        await redis.set(key, JSON.stringify(taken), "EX", DELIVERY_S);
        return taken;
      }),
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await debounce[Symbol.asyncDispose]();
      await lanes.idle();
    },
  };
}

/** What must not be done side by side, or out of its order. */
function laneOf(change: Change): string {
  switch (change.kind) {
    case "push":
      return `${change.project} refs/heads/${change.branch}`;
    case "tag":
      return `${change.project} refs/tags/${change.tag}`;
    case "pull_request":
    case "comment":
      return `${change.project} PR#${change.number}`;
    default:
      return change satisfies never;
  }
}

/** Whether nothing but git can keep the push from being built. */
function isSure(project: Project, push: Pushed): boolean {
  if (push.messages.length === 0 || !isBranchWanted(project, push.branch)) return false;
  if (hasPathRules(project) && push.files === undefined) return false;
  return whyNotBuilt(project, push.messages.at(-1), push.files) === undefined;
}

function unknownProject({ project }: Change): Taken {
  return { kind: "skipped", reason: `there is no project ${project} any more` };
}
