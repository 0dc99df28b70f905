/** Build records in a real Redis, and everything that commands and pages read them with. */
import { type Build, type BuildState, type FinalState, Requester } from "../../src/builds/build.ts";
import { announcements, type Builds, createBuilds } from "../../src/builds/builds.ts";
import { type BuildStore, createBuildStore } from "../../src/builds/store.ts";
import { type Config, parseConfig } from "../../src/config.ts";
import { GitRef, ProjectName, Sha } from "../../src/names.ts";
import type { StepResources } from "../../src/pipeline/resources.ts";
import { type BuildQueue, createBuildQueue } from "../../src/queue/build-queue.ts";
import { type Revision, type Revisions, UnknownRefError } from "../../src/revisions.ts";
import { openRedis, type TestRedis } from "./redis.ts";

export const NOW = new Date("2026-03-01T12:00:00.000Z");

export const CONFIG = `
url: https://ci.example.org
projects:
  docker: { repo: /repositories/docker }
  docker-registry: { repo: /repositories/docker-registry }
  hello: { repo: /repositories/hello }
`;

export function configOf(text: string, cwd = "/nowhere"): Config {
  return parseConfig(text, { file: undefined, env: {}, cwd });
}

/** A commit whose name is that digit, forty times. */
export function revisionOf(digit: string, changes: Partial<Revision> = {}): Revision {
  return {
    sha: Sha.parse(digit.repeat(40)),
    kind: "branch",
    ref: GitRef.parse("main"),
    title: "Fix CloudFront origin path",
    author: "bob",
    committedAt: "2026-03-01T11:00:00.000Z",
    ...changes,
  };
}

export const ADA = Requester.parse({
  name: "ada",
  displayName: "ada",
  network: "fake",
  room: { network: "fake", kind: "channel", name: "#dev" },
});

/** What a step that failed had used. */
export const RESOURCES: StepResources = {
  container: { memoryPeakBytes: 3.5 * 1024 ** 3, memoryLimitBytes: 4 * 1024 ** 3, cpuMs: 45_000, cpuLimit: 2 },
  worker: { load: 7.25, cpus: 2, memoryFreeBytes: 512 * 1024 ** 2, memoryBytes: 8 * 1024 ** 3 },
};

/** Every repository has the branches `main` and `release`, and the pull request 12. */
export const revisions: Revisions = {
  async resolve(_repo, ref) {
    if (ref === "main" || ref === "release") return revisionOf("0", { ref });
    throw new UnknownRefError(ref, ref.startsWith("ma") ? ["main"] : []);
  },
  async pack() {
    throw new Error("no test of the records fetches a tree");
  },
  async pullRequest(_repo, number, into) {
    if (number !== 12) throw new UnknownRefError(GitRef.parse(`PR#${number}`), []);
    const pullRequest = { number, base: revisionOf("0").sha };
    return revisionOf("3", { kind: "pull_request", ref: into, pullRequest });
  },
  async packMerged() {
    throw new Error("no test of the records fetches a tree");
  },
  async mergedLines() {
    return new Map();
  },
  async tag() {
    throw new Error("no test of the records sets a tag");
  },
  async message() {
    return revisionOf("0").title;
  },
  async heads() {
    return new Map();
  },
  async between() {
    return [];
  },
  async mergeBase() {
    return undefined;
  },
  async changedLines() {
    return new Map();
  },
  async [Symbol.asyncDispose]() {
    // Nothing is open.
  },
};

export interface Records extends TestRedis {
  readonly config: Config;
  readonly store: BuildStore;
  readonly queue: BuildQueue;
  readonly builds: Builds;
  /** A record in state `queued`, without a job. */
  create(project?: string, changes?: Partial<Build>): Promise<Build>;
  /** A worker takes it, `secondsAgo` before now. */
  begin(build: Build, secondsAgo?: number, step?: Extract<BuildState, { kind: "running" }>["step"]): Promise<Build>;
  /** It ends, and its end is put up for announcing. */
  end(build: Build, state: FinalState, changes?: Partial<Pick<Build, "steps">>): Promise<Build>;
}

export const clock = { now: () => NOW };
export const ago = (seconds: number): string => new Date(NOW.getTime() - seconds * 1_000).toISOString();

export async function openRecords(config: Config = configOf(CONFIG)): Promise<Records> {
  const redis = await openRedis();
  const store = createBuildStore(redis.redis.commands);
  const queue = createBuildQueue(redis.redis.open(), store, redis.log);
  const builds = createBuilds({
    config,
    store,
    queue,
    revisions,
    redis: redis.redis.commands,
    clock,
    log: redis.log,
  });
  const written = (build: Build | undefined): Build => {
    if (build === undefined) throw new Error("somebody else was quicker");
    return build;
  };
  return {
    ...redis,
    config,
    store,
    queue,
    builds,
    create: (project = "docker-registry", changes = {}) =>
      store.create({
        project: ProjectName.parse(project),
        ref: GitRef.parse("main"),
        revision: revisionOf("0"),
        requester: ADA,
        params: {},
        requestedAt: ago(600),
        ...changes,
      }),
    async begin(build, secondsAgo = 60, step) {
      const state = { kind: "running", startedAt: ago(secondsAgo), worker: "big-1", ...(step && { step }) } as const;
      return written(await store.transition(build, state, { attempt: build.attempt + 1 }));
    },
    async end(build, state, changes = {}) {
      const announce = announcements({ ...build, ...changes, state }, config.url, clock);
      return written(await store.transition(build, state, changes, announce));
    },
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}
