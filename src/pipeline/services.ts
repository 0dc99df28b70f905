/** The services of a step: containers beside its own, in a network of theirs, from before it begins until it is over. */
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../errors.ts";
import type { ContainerRuntime, ContainerSpec, RunningContainer } from "../runtime.ts";
import { OUTPUT_START } from "../runtime.ts";
import { LastLines } from "./last-lines.ts";
import type { Mask } from "./masking.ts";
import type { Service } from "./schema.ts";
import { HandedOver } from "./stop.ts";

const READY_WITHIN_MS = 60_000;
const READY_EVERY_MS = 250;
/** A question that hangs is asked again: the service may have lost it while it started. */
const READY_ANSWER_MS = 10_000;
/** A wait that is longer than this is told of. */
const QUIET_WAIT_MS = 2_000;

/** Names the service of a step's try; its containers do not carry `docker-ci.step`, which is the step's own. */
const SERVICE = "docker-ci.service";

export interface ServicesWanted {
  readonly services: Readonly<Record<string, Service>>;
  /** All of them and no others carry these. */
  readonly identity: Readonly<Record<string, string>>;
  /** Also of the network that they and the step are in; each service adds its name. */
  readonly name: string;
  readonly networkLabels: Readonly<Record<string, string>>;
  readonly isInternal: boolean;
  readonly spec: Pick<ContainerSpec, "limits" | "privileged">;
  /** An earlier attempt's step runs on, and its services with it. */
  readonly goOn: boolean;
  readonly readyBy: number;
  readonly mask: Mask | undefined;
  say(text: string): Promise<void>;
}

export interface OpenServices {
  /** One phrase that names the service which could not be used; undefined when all of them can be. */
  readonly failure: string | undefined;
  readonly network: string;
  /** Writes the last lines of each into the log. */
  tellLastLines(): Promise<void>;
  /** Removes them with their network. */
  close(): Promise<void>;
}

/**
 * Starts the services of a step, whose images are there, all at once, and waits until each can be used.
 * @throws RuntimeError of the engine, or the signal's reason: with nothing left behind, save for HandedOver and for a step that
 * runs on.
 */
export async function openServices(
  runtime: ContainerRuntime,
  wanted: ServicesWanted,
  signal: AbortSignal,
): Promise<OpenServices> {
  const step = new AbortController();
  const close = async (): Promise<void> => {
    step.abort();
    await removeServices(runtime, wanted);
  };
  if (!wanted.goOn) await removeServices(runtime, wanted);
  try {
    const running = wanted.goOn ? await findServices(runtime, wanted) : await startServices(runtime, wanted, signal);
    const until = AbortSignal.any([step.signal, signal]);
    const followed = running.map((service) => follow(service, wanted.mask, until));
    const waits = wanted.goOn
      ? []
      : followed.map((each) => waitUntilReady(each, wanted.services[each.name]?.ready, wanted, signal));
    const failures = await allOver(waits);
    return {
      failure: failures.find((failure) => failure !== undefined),
      network: wanted.name,
      async tellLastLines() {
        for (const { name, lines } of followed) for (const line of lines.read()) await wanted.say(`${name} │ ${line}`);
      },
      close,
    };
  } catch (error) {
    step.abort();
    // What was thrown first counts, and what is left goes with the build's leftovers.
    if (!wanted.goOn && !(signal.reason instanceof HandedOver)) await close().catch(() => undefined);
    throw error;
  }
}

interface Named {
  readonly name: string;
  readonly container: RunningContainer;
}

async function findServices(runtime: ContainerRuntime, { identity }: ServicesWanted): Promise<Named[]> {
  const found = await runtime.find(identity);
  return found.map(({ container }) => ({ name: container.labels[SERVICE] ?? container.name, container }));
}

async function removeServices(runtime: ContainerRuntime, wanted: ServicesWanted): Promise<void> {
  const found = await runtime.find(wanted.identity);
  await Promise.all(found.map(({ container }) => container.remove()));
  await runtime.removeNetwork(wanted.name);
}

async function startServices(runtime: ContainerRuntime, wanted: ServicesWanted, signal: AbortSignal): Promise<Named[]> {
  const { services, name, identity, spec } = wanted;
  await runtime.createNetwork(name, wanted.networkLabels, wanted.isInternal);
  return allOver(
    Object.entries(services).map(async ([service, { image, env }]) => ({
      name: service,
      container: await runtime.start(
        {
          ...spec,
          name: `${name}.service-${service}`,
          image,
          command: undefined,
          env,
          labels: { ...identity, [SERVICE]: service },
          network: name,
          mounts: [],
          aliases: [service],
        },
        signal,
      ),
    })),
  );
}

/** Unlike Promise.all it waits for the others when one fails, so that none begins to be after everything was removed. */
async function allOver<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Pulls what the engine does not have of these images, side by side. */
export async function ensureImages(
  runtime: ContainerRuntime,
  images: readonly string[],
  say: (text: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const ensure = async (image: string): Promise<void> => {
    if ((await runtime.imageId(image)) !== undefined) return;
    await say(`── pulling ${image}`);
    await runtime.pullImage(image, signal);
  };
  await allOver([...new Set(images)].map(ensure));
}

/** Its last lines, and whether it is over. Reading its output is also what keeps its pipes from filling up. */
interface Followed extends Named {
  readonly lines: LastLines;
  isOver(): boolean;
}

function follow({ name, container }: Named, mask: Mask | undefined, signal: AbortSignal): Followed {
  const lines = new LastLines(mask);
  let isOver = false;
  const read = async (): Promise<void> => {
    for await (const chunk of container.output(OUTPUT_START, signal)) lines.push(chunk);
    isOver = true;
  };
  // Given up when the step is over; an engine that is away is noticed by whoever follows the step itself.
  read().catch(() => undefined);
  return { name, container, lines, isOver: () => isOver };
}

/** @returns why it cannot be used, in one phrase that names it. */
async function waitUntilReady(
  service: Followed,
  ready: string | undefined,
  { readyBy, say }: ServicesWanted,
  signal: AbortSignal,
): Promise<string | undefined> {
  const begunAt = Date.now();
  const by = Math.min(begunAt + READY_WITHIN_MS, readyBy);
  let isTold = false;
  for (;;) {
    signal.throwIfAborted();
    if (service.isOver()) return await howItEnded(service, signal);
    if (ready === undefined) return undefined;
    const answer = await ask(service, ready, by, signal);
    if (answer === "ready") return undefined;
    if (Date.now() >= by) {
      if (answer !== "not ready") throw answer;
      return `service ${service.name} was not ready after ${Math.round((by - begunAt) / 1_000)}s`;
    }
    if (!isTold && Date.now() - begunAt > QUIET_WAIT_MS) {
      isTold = true;
      await say(`── waiting for service ${service.name} to be ready`);
    }
    // An abort is seen by the next round.
    await sleep(READY_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function howItEnded({ name, container }: Named, signal: AbortSignal): Promise<string> {
  const { exitCode } = await container.wait(signal);
  return `service ${name} ended before it was ready: exit ${exitCode}`;
}

/** @returns the error of an engine that does not run the command: its container may just have ended. */
async function ask(
  { container }: Named,
  ready: string,
  by: number,
  signal: AbortSignal,
): Promise<"ready" | "not ready" | RuntimeError> {
  const late = AbortSignal.timeout(Math.max(1, Math.min(by - Date.now(), READY_ANSWER_MS)));
  try {
    const execution = await container.exec(["/bin/sh", "-c", ready], { signal: AbortSignal.any([signal, late]) });
    execution.stdout.resume();
    return (await execution.exitCode()) === 0 ? "ready" : "not ready";
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return "not ready";
    if (error instanceof RuntimeError) return error;
    throw error;
  }
}
