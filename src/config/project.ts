/** `projects:` — what is under CI, and within which bounds its code may run. */
import type { z } from "zod";
import { GitRef, ProjectName } from "../names.ts";
import { type Pipeline, PipelineSchema } from "../pipeline/schema.ts";
import { DURATION_EXAMPLES, parseDuration } from "../units.ts";
import { type Forge, forge, forgeOf, repository } from "./repository.ts";
import {
  amount,
  choice,
  count,
  duration,
  envMapping,
  envName,
  flag,
  mapping,
  scalar,
  secret,
  section,
  size,
  textLike,
} from "./scalars.ts";
import { type NightlyConfig, nightly, Unchanged } from "./schedules.ts";
import type { Secret } from "./secret.ts";
import { type NotifyConfig, notify } from "./services.ts";

/** Bounds of one step, and of its build where noted. */
export interface Limits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  /** Of the whole build. */
  readonly timeMs: number;
  readonly diskBytes: number;
  /** Of the whole build's log; the middle of a longer one is dropped. */
  readonly logBytes: number;
}

export interface Project {
  readonly name: ProjectName;
  /** An address that git understands, or an absolute path. */
  readonly repo: string;
  readonly forge: Forge | undefined;
  readonly branch: GitRef;
  /** Used in place of the repository's own file. */
  readonly pipeline: Pipeline | undefined;
  /** `undefined`: not looked for by ourselves. */
  readonly pollMs: number | undefined;
  readonly nightly: NightlyConfig | undefined;
  readonly nightlyUnchanged: Unchanged;
  /** How many of its builds run at a time; undefined: as many as there are slots. */
  readonly max: number | undefined;
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
  disk: size(MIB).prefault("10g"),
  log: size(64 * 1024, "a size such as 10m or 1g, at least 64k").prefault("1g"),
}).transform(
  (written): Limits => ({
    memoryBytes: written.memory,
    cpus: written.cpus,
    pids: written.pids,
    timeMs: written.time,
    diskBytes: written.disk,
    logBytes: written.log,
  }),
);

/** `off` is told apart from no key at all only by whoever reads the file. */
const poll = scalar(`${DURATION_EXAMPLES}, at least 5s, or off`, (value) => {
  if (value === "off" || value === "false") return "off";
  const durationMs = parseDuration(value);
  return durationMs === undefined || durationMs < 5000 ? undefined : durationMs;
});

const branch = scalar("a branch name", (value) => GitRef.safeParse(value).data);

const project = section({
  repo: repository,
  forge: forge.optional(),
  branch: branch.prefault("main"),
  pipeline: PipelineSchema.optional(),
  poll: poll.optional(),
  nightly: nightly.optional(),
  nightly_unchanged: Unchanged.default("skip"),
  max: count(1, 256).optional(),
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
    pollMs: written.poll === "off" ? undefined : written.poll,
    nightly: written.nightly === "off" ? undefined : written.nightly,
    nightlyUnchanged: written.nightly_unchanged,
    max: written.max,
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
