/** One step of a build as commands of the docker client. */
import type { Project } from "../config.ts";
import { stepIdOf } from "../pipeline/plan.ts";
import type { RecordedPlan, RecordedStep } from "../pipeline/plan-record.ts";
import type { Build } from "./build.ts";
import type { Discretion } from "./repro-variables.ts";
import { shellQuote } from "./shell-quote.ts";

/** Tries of a service's `ready`, a second apart: a build waits as long. */
const READY_TRIES = 60;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

type BuildStep = Extract<RecordedStep, { kind: "build" }>;
type RunStep = Extract<RecordedStep, { kind: "run" }>;
type Bounds = Pick<Project, "network" | "privileged" | "limits">;

export function dockerBuild(
  { context, dockerfile, args, target, lane }: BuildStep,
  tags: readonly string[],
  { network }: Pick<Bounds, "network">,
  discretion: Discretion,
): string {
  const file = `${context.replace(/\/+$/, "")}/${dockerfile}`;
  return [
    "docker build",
    network === "none" ? " --network none" : "",
    ...tags.map((tag) => ` -t ${shellQuote(tag)}`),
    dockerfile === "Dockerfile" ? "" : ` -f ${shellQuote(within(file))}`,
    target === undefined ? "" : ` --target ${shellQuote(target)}`,
    discretion.options("--build-arg", new Map(Object.entries({ ...lane, ...args }))),
    ` ${shellQuote(within(context))}`,
  ].join("");
}

/** A path that cannot be taken for an option. */
function within(path: string): string {
  return path.startsWith("-") ? `./${path}` : path;
}

export interface RunScene {
  readonly step: RunStep;
  readonly build: Build;
  readonly plan: RecordedPlan;
  readonly tags: ReadonlyMap<BuildStep, readonly string[]>;
  readonly project: Bounds;
  /** What docker-ci itself gives the build, and what was given with the command. */
  readonly env: Readonly<Record<string, string>>;
  /** Without what few steps depend on: docker-ci's own variables, and the limits. */
  readonly brief: boolean;
  readonly discretion: Discretion;
}

export interface Run {
  /** Each only when the one before it succeeded. */
  readonly commands: readonly string[];
  /** In any case; the exit code is handed through. */
  readonly after: readonly string[];
}

export function dockerRun(scene: RunScene): Run {
  const { step, build, project } = scene;
  const network = `docker-ci-repro-${build.number}`;
  const services = Object.entries(step.services);
  if (services.length === 0) {
    return { commands: [containerRun(scene, project.network === "none" ? "none" : undefined)], after: [] };
  }
  const names = services.map(([name]) => containerName(network, name)).join(" ");
  return {
    commands: [
      `docker network create${project.network === "none" ? " --internal" : ""} ${network}`,
      ...services.map((service) => serviceStart(service, network, scene)),
      ...services.flatMap((service) => serviceReady(service, network, scene)),
      containerRun(scene, network),
    ],
    // In parentheses: pasted into a terminal, it must not close it.
    after: ["status=$?", `docker rm -f -v ${names}; docker network rm ${network}`, '(exit "$status")'],
  };
}

function containerName(network: string, service: string): string {
  return shellQuote(`${network}-${service}`);
}

type Service = readonly [name: string, service: RunStep["services"][string]];

function serviceStart([name, { image, env }]: Service, network: string, { discretion }: RunScene): string {
  const variables = discretion.options("-e", new Map(Object.entries(env)));
  return `docker run -d --init --name ${containerName(network, name)} --network ${network} --network-alias ${shellQuote(name)}${variables} ${shellQuote(image)}`;
}

function serviceReady([name, { ready }]: Service, network: string, { discretion }: RunScene): string[] {
  if (ready === undefined) return [];
  const probe = `docker exec ${containerName(network, name)} sh -c ${shellQuote(discretion.text(ready))}`;
  return [`{ n=0; until ${probe} || [ "$n" -ge ${READY_TRIES} ]; do n=$((n+1)); sleep 1; done; }`];
}

/** As the worker runs it, but for the hardening that a laptop does not need: its folder for reports, its memory, its environment. */
function containerRun(scene: RunScene, network: string | undefined): string {
  const { step, project, brief, discretion } = scene;
  const memory = sizeText(project.limits.memoryBytes);
  const limits = ` --memory ${memory} --memory-swap ${memory} --pids-limit ${project.limits.pids}`;
  const script = step.script === undefined ? "" : ` -e -c ${shellQuote(discretion.text(step.script))}`;
  return [
    // A folder called data may be in the repository, and /data is empty when a step begins.
    "mkdir -p -m 777 docker-ci-data && docker run --rm --init",
    network === undefined ? "" : ` --network ${network}`,
    project.privileged ? " --privileged" : "",
    brief && !endedByMemory(scene) ? "" : limits,
    ' -v "$PWD"/docker-ci-data:/data',
    discretion.options("-e", environmentOf(scene)),
    script === "" ? "" : " --entrypoint /bin/sh",
    ` ${shellQuote(imageOf(scene))}${script}`,
  ].join("");
}

/** As runPipeline puts it together; what the configuration gives is not told. */
function environmentOf({ step, env, plan, brief }: RunScene): ReadonlyMap<string, string | undefined> {
  return new Map<string, string | undefined>([
    ...Object.entries(env).filter(([name]) => !(brief && name.startsWith("DOCKER_CI_"))),
    ...plan.projectEnv.map((name) => [name, undefined] as const),
    ...plan.secrets.map((name) => [name, undefined] as const),
    ...Object.entries(step.lane ?? {}),
    ...Object.entries(step.env),
  ]);
}

/** Then the limit is what has to be repeated. */
function endedByMemory({ step, build }: RunScene): boolean {
  const result = build.steps.find((each) => stepIdOf(each) === step.id);
  return /\bmemory\b/.test(result?.meaning ?? "");
}

/** `4g`, as docker takes it. */
function sizeText(bytes: number): string {
  if (bytes % GIB === 0) return `${bytes / GIB}g`;
  return bytes % MIB === 0 ? `${bytes / MIB}m` : `${bytes}b`;
}

function imageOf({ step: { image }, tags }: RunScene): string {
  if (image.kind === "reference") return image.reference;
  // The last, as that is what it was planned with.
  const built = [...tags].findLast(([{ name }]) => name === image.step);
  return built?.[1][0] ?? image.step;
}
