/** Making and starting containers until they are healthy: what `start` does, and what a switch begins with. */
import { ConfigError } from "../src/errors.ts";
import type { Application } from "./application.ts";
import {
  createContainer,
  differencesOf,
  inspect,
  publishedPorts,
  removeContainer,
  startContainer,
  stateOf,
  stopContainer,
} from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { hasAnyPort, isPortTaken } from "./drawn-ports.ts";
import { takeEnvironment, unsetNames } from "./environment.ts";
import { waitUntilHealthy } from "./health.ts";
import { needImage } from "./images.ts";
import { type ProgressBoard, PullProgress } from "./progress.ts";
import { loginFor, type Outcome, type Session } from "./session.ts";
import type { OnHost, Values } from "./spec.ts";

/** How often ports of the host are drawn for one container. */
const DRAWS = 5;

/** Each application with its environment. @throws ConfigError that names every variable which is needed and not set. */
export function environments({ applications, environment }: Session): ReadonlyMap<Application, Values> {
  const problems = applications.flatMap(({ name, image, env }) =>
    image === undefined ? [] : unsetNames(env, environment).map((unset) => `${name}.env: $${unset} is not set`),
  );
  if (problems.length > 0) {
    throw new ConfigError("The environment lacks values that the applications take from it:", [
      ...problems,
      "export them, or write $NAME? for what may be left out",
    ]);
  }
  return new Map(applications.map((application) => [application, takeEnvironment(application.env, environment)]));
}

/** What one container is made and started with. */
export interface Making {
  readonly session: Session;
  readonly daemon: Daemon;
  readonly application: Application;
  readonly env: Values;
  readonly board: ProgressBoard;
  /** One that runs may be answering for a domain, so `--recreate` is not for it. */
  readonly leavesRunning?: boolean;
}

/** Makes it where it is not there (O-143). What is there and differs is told, and replaced only by `--recreate`. */
export async function make(making: Making): Promise<Outcome> {
  const { daemon, application, env, session } = making;
  const info = await inspect(daemon, application.container);
  if (info === undefined) {
    await create(making);
    return { result: "created" };
  }
  const changed = await differencesOf(daemon, application, env, info);
  if (changed.length === 0) return { result: `exists, ${stateOf(info)}` };
  if (!session.options.recreate) return differing(changed);
  await recreate(making, async () => undefined);
  return { result: "created again", details: changed };
}

/**
 * Makes it, starts it and waits until it is healthy (O-144).
 * @throws RuntimeError when it does not become healthy; it is left as it is then, for its logs.
 */
export async function bringUp(making: Making): Promise<Outcome> {
  const { daemon, application, env, session } = making;
  const info = await inspect(daemon, application.container);
  if (info === undefined) {
    await createAndStart(making);
    return { result: "created and started" };
  }
  const changed = await differencesOf(daemon, application, env, info);
  if (changed.length > 0) {
    const isInUse = info.State.Running && making.leavesRunning === true;
    if (!session.options.recreate || isInUse) return differing(changed, isInUse);
    await recreate(making, () => startAndWait(making));
    return { result: "created again and started", details: changed };
  }
  if (info.State.Running) {
    await waitUntilHealthy(daemon, application, { host: daemon.host, signal: session.signal });
    return { result: "running already" };
  }
  await startAndWait(making);
  return { result: "started" };
}

function differing(changed: readonly string[], isInUse = false): Outcome {
  return {
    result: "failed: it was made with other settings, and is left as it is",
    details: [...changed, `another release_name makes a second one${isInUse ? "" : ", --recreate replaces this one"}`],
    failed: true,
  };
}

async function create(
  { session, daemon, application, env, board }: Making,
  keptPorts: OnHost["hostPorts"] = new Map(),
): Promise<void> {
  const { image } = application;
  if (image !== undefined) {
    const progress = new PullProgress();
    let isPulling = false;
    const login = () => loginFor(session, application);
    await needImage(
      daemon,
      image,
      login,
      (event) => {
        if (!isPulling) board.note(daemon.name, `pulling ${image}`);
        isPulling = true;
        progress.add(event);
        board.update(daemon.name, `pulling ${image} ${progress.bar()}`);
      },
      session.signal,
    );
  }
  await createContainer(daemon, application, env, keptPorts);
}

/** A port that was drawn and that something else than a container listens on is found out at the start: then others are. */
async function createAndStart(making: Making): Promise<void> {
  const { daemon, application } = making;
  for (let draws = 1; ; draws += 1) {
    await create(making);
    try {
      return await startAndWait(making);
    } catch (error) {
      if (!isPortTaken(error) || !hasAnyPort(application) || draws === DRAWS) throw error;
      await removeContainer(daemon, application.container);
    }
  }
}

async function startAndWait({ session, daemon, application }: Making): Promise<void> {
  await startContainer(daemon, application.container);
  await waitUntilHealthy(daemon, application, { host: daemon.host, signal: session.signal });
}

/**
 * The old one is put aside, and comes back when the new one does not become healthy. The host's ports stay, so that gateways
 * still find it. Volumes without a name are new ones.
 */
async function recreate(making: Making, andThen: () => Promise<void>): Promise<void> {
  const { daemon, application } = making;
  const { container } = application;
  const aside = `${container}-before-${Date.now().toString(36)}`;
  const info = await inspect(daemon, container);
  const wasRunning = info?.State.Running === true;
  const rename = (from: string, to: string) =>
    daemon.engine.ask((docker) => docker.getContainer(from).rename({ name: to }));
  await stopContainer(daemon, container);
  await rename(container, aside);
  try {
    await create(making, publishedPorts(info));
    await andThen();
  } catch (error) {
    if ((await inspect(daemon, container)) !== undefined) {
      await stopContainer(daemon, container);
      await removeContainer(daemon, container);
    }
    await rename(aside, container);
    if (wasRunning) await startContainer(daemon, container);
    throw error;
  }
  await removeContainer(daemon, aside);
}
