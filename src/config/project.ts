/** `projects:` — what is under CI, and within which bounds its code may run. */
import type { z } from "zod";
import { GitRef, ProjectName } from "../names.ts";
import { type Pipeline, PipelineSchema } from "../pipeline/schema.ts";
import { pathPattern } from "../results/path-pattern.ts";
import { DURATION_EXAMPLES, parseDuration } from "../units.ts";
import { type Forge, forge, forgeOf, repository } from "./repository.ts";
import {
  amount,
  choice,
  count,
  duration,
  durationOrOff,
  envMapping,
  envName,
  flag,
  mapping,
  oneOrMany,
  scalar,
  secret,
  section,
  size,
  textLike,
} from "./scalars.ts";
import { type NightlyConfig, nightly, Unchanged } from "./schedules.ts";
import type { Secret } from "./secret.ts";
import { type NotifyConfig, notify } from "./services.ts";
import { labels } from "./worker.ts";

/** Bounds of one step, and of its build where noted. */
export interface Limits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  /** Of the whole build. */
  readonly timeMs: number;
  /** How long a step may print nothing, where it does not say so itself; undefined: as long as it likes. */
  readonly idleMs: number | undefined;
  readonly diskBytes: number;
  /** Of the whole build's log; the middle of a longer one is dropped. */
  readonly logBytes: number;
  /** The longest time for which a build may ask that what its failed steps leave is kept. */
  readonly keepMs: number;
}

export interface Project {
  readonly name: ProjectName;
  /** An address that git understands, or an absolute path. */
  readonly repo: string;
  readonly forge: Forge | undefined;
  readonly branch: GitRef;
  /** Used in place of the repository's own file. */
  readonly pipeline: Pipeline | undefined;
  /** How often new commits are looked for; `undefined` leaves it to whether a webhook tells of them. */
  readonly pollMs: number | "off" | undefined;
  /** What pushes are built: branches that match one of these, where `*` stands for any characters. */
  readonly branches: readonly string[];
  /** Whether a new tag is built. */
  readonly tags: boolean;
  /** Only changes of one of these are built (results/path-pattern.ts, from the top of the tree); empty: of any. */
  readonly paths: readonly string[];
  /** Changes of nothing but these are not built. */
  readonly pathsIgnore: readonly string[];
  /** A push is built when no other came behind it for so long. */
  readonly debounceMs: number | undefined;
  /** A newer push stops also what runs of the older one. */
  readonly cancelRunning: boolean;
  readonly nightly: NightlyConfig | undefined;
  readonly nightlyUnchanged: Unchanged;
  /** How many of its builds run at a time; undefined: as many as there are slots. */
  readonly max: number | undefined;
  /** What a worker must have to take its builds. */
  readonly labels: readonly string[];
  /** Of all projects of a group one build runs at a time, in the order of asking. */
  readonly group: string | undefined;
  readonly pullRequests: "ask" | "run" | "never";
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, Secret>>;
  readonly privileged: boolean;
  readonly network: "internet" | "none";
  readonly builder: "auto" | "buildkit" | "classic";
  readonly limits: Limits;
  /** Rooms that hear of this project besides those of the whole configuration. */
  readonly notify: NotifyConfig | undefined;
}

const MIB = 1024 ** 2;

const limits = section({
  // Docker's own least memory is 6 MiB.
  memory: size(6 * MIB, "a size such as 512m or 4g, at least 6m").prefault("4g"),
  cpus: amount(0.01, 1024).default(2),
  pids: count(1, 4_194_304).default(4096),
  time: duration.prefault("30m"),
  // As long as the docker-ci of 2013 waited (O-27).
  idle: durationOrOff.prefault("20m"),
  disk: size(MIB).prefault("10g"),
  log: size(64 * 1024, "a size such as 10m or 1g, at least 64k").prefault("1g"),
  keep: duration.prefault("4h"),
}).transform(
  (written): Limits => ({
    memoryBytes: written.memory,
    cpus: written.cpus,
    pids: written.pids,
    timeMs: written.time,
    idleMs: written.idle === "off" ? undefined : written.idle,
    diskBytes: written.disk,
    logBytes: written.log,
    keepMs: written.keep,
  }),
);

const poll = scalar(`${DURATION_EXAMPLES}, at least 5s, or off`, (value) => {
  if (value === "off" || value === "false") return "off" as const;
  const durationMs = parseDuration(value);
  return durationMs === undefined || durationMs < 5000 ? undefined : durationMs;
});

const branch = scalar("a branch name", (value) => GitRef.safeParse(value).data);

const branches = oneOrMany(
  textLike(/^[^\s\p{Cc}]{1,255}$/u, 'a branch name, in which * stands for any characters, such as "release/*"'),
  "branch names",
);

const paths = oneOrMany(
  scalar("a path pattern of at most 1,000 characters, such as docs/**", (value) =>
    value.trim() !== "" && pathPattern(value.trim(), "/") !== undefined ? value.trim() : undefined,
  ),
  "path patterns",
);

const project = section({
  repo: repository,
  forge: forge.optional(),
  branch: branch.prefault("main"),
  pipeline: PipelineSchema.optional(),
  poll: poll.optional(),
  branches: branches.default(["*"]),
  tags: flag.default(true),
  paths: paths.default([]),
  paths_ignore: paths.default([]),
  debounce: duration.optional(),
  cancel_running: flag.default(false),
  nightly: nightly.optional(),
  nightly_unchanged: Unchanged.default("skip"),
  max: count(1, 256).optional(),
  labels: labels.prefault([]),
  group: textLike(
    /^[a-z0-9][a-z0-9_-]{0,31}$/,
    "a name of lower-case letters, digits, '_' and '-', at most 32",
  ).optional(),
  pull_requests: choice(["ask", "run", "never"]).default("ask"),
  env: envMapping.default({}),
  secrets: mapping(envName, secret, "a mapping of names to text").default({}),
  privileged: flag.default(false),
  network: choice(["internet", "none"]).default("internet"),
  builder: choice(["auto", "buildkit", "classic"]).default("auto"),
  limits: limits.prefault({}),
  notify: notify.optional(),
});

export const projects = mapping(ProjectName, project, "a mapping of names to projects").transform((entries) => {
  const named = Object.entries(entries).map(([key, written]) => toProject(ProjectName.parse(key), written));
  return new Map(named.map((entry) => [entry.name, entry]));
});

function toProject(name: ProjectName, written: z.output<typeof project>): Project {
  return {
    name,
    repo: written.repo,
    forge: written.forge ?? forgeOf(written.repo),
    branch: written.branch,
    pipeline: written.pipeline,
    pollMs: written.poll,
    branches: written.branches,
    tags: written.tags,
    paths: written.paths,
    pathsIgnore: written.paths_ignore,
    debounceMs: written.debounce,
    cancelRunning: written.cancel_running,
    nightly: written.nightly === "off" ? undefined : written.nightly,
    nightlyUnchanged: written.nightly_unchanged,
    max: written.max,
    labels: written.labels,
    group: written.group,
    pullRequests: written.pull_requests,
    env: written.env,
    secrets: written.secrets,
    privileged: written.privileged,
    network: written.network,
    builder: written.builder,
    limits: written.limits,
    notify: written.notify,
  };
}

/** A project with nothing but an address: everything else as the defaults have it. */
export function defaultProject(name: ProjectName, repo: string): Project {
  return toProject(name, project.parse({ repo }));
}
