/** What it takes to run a pipeline, and what is told while it runs. */
import type { StepResult } from "../builds/build.ts";
import type { Project } from "../config.ts";
import type { StepId } from "../names.ts";
import type { CollectFindings, StepFindings } from "../results/findings.ts";
import type { CacheScope } from "./caches.ts";
import type { Mask } from "./masking.ts";
import type { Plan, PlannedStep } from "./plan.ts";
import type { Step } from "./schema.ts";
import type { StepDeadline } from "./step-limits.ts";
import type { StepLog } from "./step-output.ts";

export interface PipelineRun {
  readonly plan: Plan;
  readonly tarFile: string;
  /** Unique for the build: part of the names of its images, containers and networks. */
  readonly id: string;
  /** Carried by containers and networks, and enough to find them all again. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Carried by images and caches. The same for every build of the project: a label that changes is a step that no cache has,
   * which costs the classic builder a container and a layer each time. Whose an image is says its tag.
   */
  readonly imageLabels: Readonly<Record<string, string>>;
  /** Counted from 1. */
  readonly attempt: number;
  readonly project: Pick<Project, "name" | "env" | "privileged" | "network" | "builder" | "limits">;
  /** Nothing that its images keep while they are built is for other builds. */
  readonly isUntrusted?: boolean;
  /** Environment of every run step, before the project's, the secrets, the lane's and the step's own. */
  readonly env: Readonly<Record<string, string>>;
  /** In plain text. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Over everything that goes to the log and the results. */
  readonly mask: Mask | undefined;
  /** Without a scope nothing is kept from one build to the next. */
  readonly cache: CacheScope | undefined;
  /** When the whole build must be over, as `Date.now()` counts. */
  readonly deadlineAt: number;
  /** Results of an earlier attempt: those steps are not run again. */
  readonly done: readonly StepResult[];
  /** Called with the ended container of each try of a run step, also of one that failed. */
  readonly collect?: CollectFindings;
  /** Why a step that passed by itself is failed nevertheless, in one phrase. */
  readonly judge?: (planned: PlannedStep, findings: StepFindings) => string | undefined;
  /** Whether a failed step has failed only in what is known and borne with; such a step is not run again. */
  readonly isExcused?: (findings: StepFindings) => boolean;
  /** Takes the masked output of a step while it runs. */
  readonly watch?: (step: StepId) => { push(bytes: Uint8Array): void };
}

/** Told one at a time, also where steps run side by side. */
export interface PipelineProgress {
  /** @param index its place in the plan, from 1. */
  started(planned: PlannedStep, index: number, count: number): Promise<void>;
  /** With the results of all steps that are over, in the order of the plan. */
  ended(results: readonly StepResult[]): Promise<void>;
}

/** What a step has of the run around it. */
export interface StepScene {
  /** By the names of the build steps of its lane. */
  readonly images: ReadonlyMap<string, string>;
  /** That of the whole build. */
  network(): Promise<string>;
  readonly log: StepLog;
  readonly signal: AbortSignal;
  /** `2 of 3` */
  readonly place: string;
  /** As people know it, and where it has to stand before every line. */
  readonly label: string;
  readonly lineLabel: string | undefined;
}

/** How a step ended; the rest of its result is known from the plan. */
export type StepEnd = Omit<StepResult, "name" | "id" | "lane" | "kind" | "startedAt" | "durationMs">;

/** The nearer of the step's own limit and the build's. */
export function stepDeadline(
  run: Pick<PipelineRun, "deadlineAt" | "project">,
  timeoutMs: number | undefined,
): StepDeadline {
  const own = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
  return own < run.deadlineAt
    ? { at: own, limitMs: timeoutMs ?? 0, whole: "step" }
    : { at: run.deadlineAt, limitMs: run.project.limits.timeMs, whole: "build" };
}

/** How long a step may print nothing: what it says itself, else what the project does. */
export function stepIdleMs(
  { project }: Pick<PipelineRun, "project">,
  { idleMs = project.limits.idleMs }: Pick<Step, "idleMs">,
): number | undefined {
  return idleMs === "off" ? undefined : idleMs;
}

/** As the headers in the log tell it. */
export function clockTime(): string {
  return `${new Date().toISOString().slice(11, 19)} UTC`;
}
