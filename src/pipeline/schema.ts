/** `.docker-ci.yml`: the steps that a build runs. */
import { list, section } from "../config/scalars.ts";
import { labels } from "../config/worker.ts";
import { StepName } from "../names.ts";
import { parseYaml } from "../yaml.ts";
import type { BuildEvent } from "./build-event.ts";
import { checkPipeline, MAX_STEPS } from "./pipeline-rules.ts";
import { matrix, type WrittenStep, writtenStep } from "./written-step.ts";

/** A pipeline's file, at the top of a repository. */
export const PIPELINE_FILE = ".docker-ci.yml";
/** Anybody may write one, and whoever reads it does nothing else meanwhile. */
const MAX_CHARACTERS = 256 * 1024;

/** A condition on the build; every one that is given must hold. */
export interface StepCondition {
  /** Names, or patterns with `*`. */
  readonly branches: readonly string[] | undefined;
  readonly events: readonly BuildEvent[] | undefined;
}

interface StepBase {
  readonly name: StepName;
  /** `undefined`: as long as the build may take. */
  readonly timeoutMs: number | undefined;
  /** How long it may print nothing; `undefined`: what the project's limits say. */
  readonly idleMs: number | "off" | undefined;
  readonly when: StepCondition | undefined;
  /** A failure of this step is shown and does not fail the build. */
  readonly allowFailure: boolean;
  /** The steps it waits for; `undefined`: all before it in the file. An image that it runs in is waited for in any case. */
  readonly needs: readonly StepName[] | undefined;
}

/** One `docker build`. */
export interface BuildStep extends StepBase {
  readonly kind: "build";
  /** A folder of the repository, relative to its top; `.` is the top. */
  readonly context: string;
  /** Relative to the context. */
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target: string | undefined;
}

/** Where a run step's image comes from. */
export type StepImage =
  | { readonly kind: "step"; readonly step: StepName }
  | { readonly kind: "reference"; readonly reference: string };

export interface Service {
  readonly image: string;
  /** A command inside the service that succeeds when it can be used. */
  readonly ready: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** One container run. */
export interface RunStep extends StepBase {
  readonly kind: "run";
  /** A script for `sh -e`, lines joined by newlines; `undefined` runs the image's own command. */
  readonly script: string | undefined;
  readonly image: StepImage;
  readonly env: Readonly<Record<string, string>>;
  readonly services: Readonly<Record<string, Service>>;
  /** Paths in the container, or patterns of them; so are the three below. */
  readonly tests: readonly string[];
  readonly coverage: string | undefined;
  /** A folder, and never a pattern. */
  readonly coverageHtml: string | undefined;
  readonly artifacts: readonly string[];
  /** Absolute folders of the container that are kept from one build to the next. */
  readonly cache: readonly string[];
  /** How often it is run once more when it failed: 0 or 1. */
  readonly retryFailed: 0 | 1;
  readonly thresholds: CoverageThresholds;
}

/** What fails a step whose coverage is too low, in percent; both optional. */
export interface CoverageThresholds {
  readonly failUnder: number | undefined;
  /** Percentage points below what it is compared with. */
  readonly maxDrop: number | undefined;
}

export type Step = BuildStep | RunStep;

export interface Pipeline {
  readonly steps: readonly Step[];
  /** Variables to their values; one lane of steps for each combination. */
  readonly matrix: Readonly<Record<string, readonly string[]>> | undefined;
  /** What a worker must have to run it. */
  readonly labels: readonly string[];
}

/** The schema of the file, and of `pipeline:` in the configuration. */
export const PipelineSchema = section({
  steps: list(writtenStep, "steps")
    .min(1, "a list of at least one step")
    .max(MAX_STEPS, `at most ${MAX_STEPS} steps`)
    .describe("What a build does, in order; steps with needs may run side by side."),
  matrix: matrix.optional(),
  labels: labels
    .meta({ oneOrMany: true })
    .optional()
    .describe("What a worker must have to run it: labels of its configuration, or an architecture such as arm64."),
})
  .check(checkPipeline)
  .transform(
    (written): Pipeline => ({
      steps: toSteps(written.steps),
      matrix: written.matrix,
      labels: written.labels ?? [],
    }),
  );

/**
 * The pipeline that a file describes. No variable of the environment is replaced in it: `$NAME` belongs to the shell of the step,
 * and, in what the plan of a build fills in, to the matrix.
 * @param file its name as people know it, for the problems. @throws ConfigError with all problems.
 */
export function parsePipeline(source: string, file: string = PIPELINE_FILE): Pipeline {
  return parseYaml(source, { file, schema: PipelineSchema, maxCharacters: MAX_CHARACTERS });
}

/**
 * What is run where no pipeline is written: the Dockerfile at the top is built and its image's own command is the test.
 * `undefined` without a Dockerfile: there is nothing to run.
 */
export function defaultPipeline(hasDockerfile: boolean): Pipeline | undefined {
  return hasDockerfile ? DEFAULT_PIPELINE : undefined;
}

const DEFAULT_PIPELINE = PipelineSchema.parse({ steps: [{ name: "image", build: "." }, { name: "tests" }] });

/** The steps that were written, in their order. */
export function toSteps(written: readonly WrittenStep[]): Step[] {
  let lastBuilt: StepName | undefined;
  const built = new Set<string>();
  return written.map((step): Step => {
    const base = {
      name: step.name,
      timeoutMs: step.timeout,
      idleMs: step.idle,
      when: step.when && { branches: step.when.branch, events: step.when.event },
      allowFailure: step.allow_failure,
      needs: step.needs,
    };
    if (step.build !== undefined) {
      lastBuilt = step.name;
      built.add(step.name);
      return { ...base, kind: "build", ...step.build, target: step.build.target };
    }
    return {
      ...base,
      kind: "run",
      script: step.run?.join("\n"),
      image: imageOf(step, built, lastBuilt),
      env: step.env ?? {},
      services: servicesOf(step),
      tests: step.tests ?? [],
      coverage: step.coverage,
      coverageHtml: step.coverage_html,
      artifacts: step.artifacts ?? [],
      cache: step.cache ?? [],
      retryFailed: step.retry_failed === 1 ? 1 : 0,
      thresholds: { failUnder: step.fail_under, maxDrop: step.max_drop },
    };
  });
}

function servicesOf(step: WrittenStep): Record<string, Service> {
  return Object.fromEntries(
    Object.entries(step.services ?? {}).map(([name, { image, ready, env }]) => [name, { image, ready, env }]),
  );
}

function imageOf(step: WrittenStep, built: ReadonlySet<string>, lastBuilt: StepName | undefined): StepImage {
  const named = step.image ?? lastBuilt;
  // checkPipeline has refused a step without any image.
  if (named === undefined) throw new Error(`step ${step.name} has no image`);
  return built.has(named) ? { kind: "step", step: StepName.parse(named) } : { kind: "reference", reference: named };
}
