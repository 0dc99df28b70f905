/**
 * Workspaces of steps that failed, kept on demand for a while: each an image that a person enters on the worker's machine. What the
 * worker removes of builds, of old images and on a full disk never touches them; their own time does.
 */
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Project } from "../config.ts";
import { describeError } from "../errors.ts";
import { imageTag } from "../pipeline/image-tag.ts";
import { stepIdOf, stepLabel } from "../pipeline/plan.ts";
import type { KeptWorkspaces } from "../results/summary.ts";
import type { ContainerRuntime, RunningContainer } from "../runtime.ts";
import type { Build, StepResult } from "./build.ts";
import { grantedTo } from "./inputs.ts";
import { shellQuote } from "./shell-quote.ts";
import { buildLabels, type Workshop } from "./tidy.ts";

/** On one engine at a time: each may be as large as what its step wrote. */
const KEPT_MAX = 5;
/** An engine copies what the step wrote. */
const SNAPSHOT_TIMEOUT_MS = 120_000;

const KEPT_BY = "docker-ci.kept-by";
const KEPT_UNTIL = "docker-ci.kept-until";

type KeptScene = Pick<Workshop, "runtime" | "instance" | "log"> & { readonly clock: Clock };

/**
 * Keeps what the failed steps of a build left in their containers, which are still there. Whatever goes wrong is told in what is
 * given back; the build ends as it ended. @returns undefined where nobody asked for it, or no step failed.
 */
export async function keepWorkspaces(
  scene: KeptScene,
  build: Build,
  project: Project,
): Promise<KeptWorkspaces | undefined> {
  const failed = build.steps.filter(({ state, allowed }) => state === "failed" && allowed !== true);
  if (build.keepMs === undefined || failed.length === 0) return undefined;
  const until = new Date(scene.clock.now().getTime() + build.keepMs).toISOString();
  const steps: KeptWorkspaces["steps"] = [];
  try {
    const room = KEPT_MAX - (await keptImages(scene)).length;
    const found = await endedContainers(scene, build, failed);
    for (const { step, container } of found.slice(0, Math.max(0, room))) {
      const tag = imageTag(build.project, `kept-${scene.instance}-${build.number}`, stepIdOf(step));
      await snapshot(scene, build, container, { tag, until, secrets: Object.keys(project.secrets) });
      steps.push({ step: stepLabel(step), command: enterCommand(tag, grantedTo(build, project)) });
    }
    const problem = problemOf(found.length, steps.length);
    return { until, steps, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    scene.log.warn({ err: error, build: build.number }, "a workspace could not be kept");
    return { until, steps, problem: describeError(error) };
  }
}

/** Those of each step's last try. An image build has none. */
async function endedContainers(
  { runtime, instance }: KeptScene,
  build: Build,
  steps: readonly StepResult[],
): Promise<{ step: StepResult; container: RunningContainer }[]> {
  // Oldest first.
  const all = await runtime.find(buildLabels(instance, build));
  return steps.flatMap((step) => {
    const ours = all.filter(
      ({ container, state }) => state === "ended" && container.labels["docker-ci.step"] === stepIdOf(step),
    );
    const last = ours.at(-1);
    return last === undefined ? [] : [{ step, container: last.container }];
  });
}

function problemOf(found: number, kept: number): string | undefined {
  if (found === 0) return "no step failed in a container";
  return kept < found ? `there is room for ${KEPT_MAX} on a worker at a time` : undefined;
}

/**
 * A shell where the step ran, with what it wrote and its variables. Secrets are not handed on to whoever enters; an engine before
 * Docker 26 still has them in what it remembers of the container that the image was made of, as it has those of every build at work.
 */
async function snapshot(
  { runtime, instance }: KeptScene,
  build: Build,
  container: RunningContainer,
  { tag, until, secrets }: { readonly tag: string; readonly until: string; readonly secrets: readonly string[] },
): Promise<void> {
  const env = Object.fromEntries(secrets.map((name) => [name, ""]));
  // A container that a person makes of it inherits its labels, and must not be taken for one of the build.
  const nobodys = Object.fromEntries(Object.keys(buildLabels(instance, build)).map((name) => [name, ""]));
  const labels = { ...nobodys, [KEPT_BY]: instance, [KEPT_UNTIL]: until };
  const made = { tag, entrypoint: ["/bin/sh"], env, labels };
  await runtime.snapshot(container, made, AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS));
}

/** To be run on the worker's machine. What stands in `-e` is taken from the person's own environment. */
function enterCommand(tag: string, { network, privileged, secrets }: Project): string {
  return [
    "docker run --rm -it",
    network === "none" ? " --network none" : "",
    privileged ? " --privileged" : "",
    ...Object.keys(secrets).map((name) => ` -e ${shellQuote(name)}`),
    ` ${tag}`,
  ].join("");
}

/** Removes those whose time is over; one that somebody is in goes when they have left. */
export async function removeExpiredWorkspaces(scene: {
  readonly runtime: Pick<ContainerRuntime, "listImages" | "removeImage">;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<void> {
  const now = scene.clock.now().getTime();
  for (const { reference, labels } of await keptImages(scene)) {
    // `NaN`, of a label that somebody else wrote, is over too.
    if (Date.parse(labels[KEPT_UNTIL] ?? "") > now) continue;
    scene.log.info({ image: reference }, "the time of a kept workspace is over");
    await scene.runtime.removeImage(reference);
  }
}

function keptImages({ runtime, instance }: { runtime: Pick<ContainerRuntime, "listImages">; instance: string }) {
  return runtime.listImages({ [KEPT_BY]: instance });
}
