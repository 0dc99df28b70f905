/**
 * The commands that repeat a step of a build elsewhere. No secret stands in them: a variable whose value is not for everybody is
 * named, and whoever repeats the step sets it.
 */
import { quoted } from "../chat/quoted.ts";
import { isPath, type Project } from "../config.ts";
import { UserError } from "../errors.ts";
import { didYouMean, nearest } from "../nearest.ts";
import { stepIdOf, stepLabel } from "../pipeline/plan.ts";
import type { RecordedPlan, RecordedStep } from "../pipeline/plan-record.ts";
import type { Revision } from "../revisions.ts";
import type { Build } from "./build.ts";
import { dockerBuild, dockerRun } from "./repro-docker.ts";
import { Discretion } from "./repro-variables.ts";
import { shellQuote } from "./shell-quote.ts";

type BuildStep = Extract<RecordedStep, { kind: "build" }>;

export interface ReproScene {
  readonly project: Pick<Project, "repo" | "network" | "privileged" | "limits" | "secrets">;
  /** What docker-ci itself gives the build, and what was given with the command (`inputsOf`). */
  readonly env: Readonly<Record<string, string>>;
  /** For a chat: without what few steps depend on. */
  readonly brief?: boolean;
}

export interface Repro {
  readonly step: RecordedStep;
  /** For a POSIX shell, in this order; each may be of several lines. Their exit code is the step's. */
  readonly commands: readonly string[];
  /** Variables to be set before, since their values are not told. */
  readonly unset: readonly string[];
}

/**
 * The step of that name, id (`tests.2`) or label (`tests NODE=22`); by default the first that failed.
 * @throws UserError when there is none.
 */
export function stepToRepeat(build: Build, plan: RecordedPlan, wanted: string | undefined): RecordedStep {
  const failed = build.steps.filter(({ state }) => state === "failed").toSorted((a, b) => rankOf(a) - rankOf(b));
  const planned = (id: string): RecordedStep | undefined => plan.steps.find((step) => step.id === id);
  const names = [...new Set(plan.steps.map(({ name }) => name))];
  if (wanted === undefined) {
    const [first] = failed.flatMap((result) => planned(stepIdOf(result)) ?? []);
    if (first !== undefined) return first;
    throw new UserError(`#${build.number} has no step that failed. Name one to repeat: ${names.join(", ")}.`);
  }
  const matching = plan.steps.filter((step) => [step.id, step.name, stepLabel(step)].includes(wanted));
  const inLane = failed.flatMap((result) => matching.find(({ id }) => id === stepIdOf(result)) ?? []);
  const step = inLane[0] ?? matching[0];
  if (step !== undefined) return step;
  const guess = didYouMean(nearest(wanted, names, 1));
  const list = `There are ${names.slice(0, 10).join(", ")}${names.length > 10 ? ` and ${names.length - 10} more` : ""}.`;
  throw new UserError(`#${build.number} has no step ${quoted(wanted)}.${guess === "" ? "" : ` ${guess}`} ${list}`);
}

/** What failed the build comes before what was allowed to fail. */
function rankOf({ allowed }: Build["steps"][number]): number {
  return allowed === true ? 1 : 0;
}

/** @throws UserError when the build never knew its revision. */
export function reproCommands(build: Build, plan: RecordedPlan, step: RecordedStep, scene: ReproScene): Repro {
  const { revision } = build;
  if (revision === undefined)
    throw new UserError(`#${build.number} never knew its revision, so it cannot be repeated.`);
  const { project } = scene;
  const discretion = new Discretion(Object.values(project.secrets).map((secret) => secret.reveal()));
  const folder = shellQuote(`${build.project}-${build.number}`);
  const fetch = [
    `git clone --quiet --recurse-submodules ${shellQuote(discretion.text(cloneAddress(project.repo)))} ${folder}`,
    `cd ${folder}`,
    ...checkout(revision),
  ].join(" && ");
  const tags = tagsOf(imagesFor(step, plan), build);
  const builds = [...tags].map(([image, names]) => dockerBuild(image, names, project, discretion));
  const run =
    step.kind === "run"
      ? dockerRun({ step, build, plan, tags, project, env: scene.env, brief: scene.brief === true, discretion })
      : { commands: [], after: [] };
  const commands = [fetch, ...builds, ...run.commands];
  return {
    step,
    commands: [
      ...commands.map((command, index) => (index < commands.length - 1 ? `${command} &&` : command)),
      ...run.after,
    ],
    unset: discretion.withheld,
  };
}

/** Everything, as a file: what it repeats, what has to be set before, and the commands. */
export function reproText(build: Build, plan: RecordedPlan, step: RecordedStep, scene: ReproScene): string {
  const { commands, unset } = reproCommands(build, plan, step, scene);
  // Who pastes this into zsh runs the comments too: nothing in them may mean anything to a shell.
  const header = [
    `# Repeats step ${step.id} of ${build.project} number ${build.number}. It takes git and docker.`,
    ...(isPath(scene.project.repo) ? ["# The repository is a folder of the machine on which docker-ci runs."] : []),
    ...unset.map((name) => `# The value of ${name} is not told here. Export it before.`),
  ];
  return `${[...header, ...commands].join("\n")}\n`;
}

/** A pull request is merged into what was the tip of its target then. */
function checkout({ sha, pullRequest }: Revision): string[] {
  const detach = "git checkout --quiet --recurse-submodules --detach";
  if (pullRequest === undefined) return [`${detach} ${sha}`];
  return [
    `git fetch --quiet origin ${sha}`,
    `${detach} ${pullRequest.base}`,
    `git -c user.name=docker-ci -c user.email=docker-ci@localhost merge --quiet --no-edit ${sha}`,
    "git submodule --quiet update --init --recursive",
  ];
}

/**
 * Without what gives access. The user of an ssh address stays, as nobody gets in without it; of any other it may be the token
 * itself, and so may what stands behind a question mark.
 */
function cloneAddress(repo: string): string {
  if (repo.startsWith("ssh://")) return repo.replace(/^(ssh:\/\/[^/@:]*)(?::[^/@]*)?@/, "$1@");
  return /^[a-z]+:\/\//.test(repo) ? repo.replace(/^([a-z]+:\/\/)[^/]*@/, "$1").replace(/[?#].*$/s, "") : repo;
}

/** The images that a step runs in or is built on, in the order in which they are built. */
function imagesFor(step: RecordedStep, plan: RecordedPlan): BuildStep[] {
  const wanted = new Set<string>();
  const want = (id: string): void => {
    if (wanted.has(id)) return;
    wanted.add(id);
    for (const need of plan.steps.find((each) => each.id === id)?.needs ?? []) want(need);
  };
  if (step.kind === "build") want(step.id);
  const { image } = step.kind === "run" ? step : {};
  if (image?.kind === "step") {
    const built = plan.steps.find(({ name, id }) => name === image.step && step.needs.includes(id));
    want((built ?? plan.steps.find((each) => each.name === image.step && sameLane(each, step)))?.id ?? "");
  }
  return plan.steps.flatMap((each) => (each.kind === "build" && wanted.has(each.id) ? [each] : []));
}

/**
 * Each image under a name that no other project has. One that a later image may be made from has its step's name too, by which
 * that one's Dockerfile knows it.
 */
function tagsOf(images: readonly BuildStep[], build: Build): ReadonlyMap<BuildStep, readonly string[]> {
  return new Map(
    images.map((image, index) => {
      const own = imageName(build, image);
      return [image, index < images.length - 1 ? [own, image.name] : [own]];
    }),
  );
}

/** No image's name may hold what a project's may: `docker-ci-repro:43-image` */
function imageName(build: Build, { name }: BuildStep): string {
  return `docker-ci-repro:${build.number}-${name}`;
}

function sameLane(a: RecordedStep, b: RecordedStep): boolean {
  return JSON.stringify(a.lane) === JSON.stringify(b.lane);
}
