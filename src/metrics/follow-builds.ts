/**
 * Measures builds as they begin and end. What it goes by are the records, as the events bring them; after a break in hearing the
 * newest records are looked at, so that what began or ended meanwhile is measured too. Each build is measured once.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { Build, durationMs, isFinished } from "../builds/build.ts";
import type { Builds } from "../builds/builds.ts";
import type { Config } from "../config.ts";
import { describeError } from "../errors.ts";
import { type Meters, projectLabel } from "./meters.ts";

/** How many of the newest records are looked at. */
const LOOKED_AT = 200;
/** How many numbers are remembered as measured; more than are looked at, so that none is measured again. */
const REMEMBERED = 5 * LOOKED_AT;

export interface FollowDeps {
  readonly config: Pick<Config, "projects">;
  readonly builds: Pick<Builds, "latest">;
  readonly eventChannel: string;
  readonly meters: Meters;
  readonly log: Logger;
  /** Bytes of a build's log; undefined when this machine has none. */
  logBytes(number: number): Promise<number | undefined>;
}

/** @param subscriber a connection of its own, in subscriber mode from now on; not closed here. */
export async function followBuilds(deps: FollowDeps, subscriber: Redis): Promise<AsyncDisposable> {
  const { builds, log, eventChannel } = deps;
  const begun = createMemory();
  const ended = createMemory();
  const measure = async (build: Build): Promise<void> => {
    if (build.state.kind === "queued") return;
    if (begun.isNew(build.number)) measureBegin(deps, build);
    if (isFinished(build) && ended.isNew(build.number)) await measureEnd(deps, build);
  };
  const quietly = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => log.warn({ reason: describeError(error) }, "a build was not measured"));
  };

  subscriber.on("message", (channel: string, json: string) => {
    const event = channel === eventChannel ? readEvent(json) : undefined;
    if (event !== undefined) quietly(measure(event));
  });
  await subscriber.subscribe(eventChannel);
  // What began or ended before this process did is none of its numbers.
  for (const build of await builds.latest(LOOKED_AT)) {
    if (build.state.kind !== "queued") begun.isNew(build.number);
    if (isFinished(build)) ended.isNew(build.number);
  }
  const catchUp = async (): Promise<void> => {
    await Promise.all((await builds.latest(LOOKED_AT)).map(measure));
  };
  const ready = (): void => quietly(catchUp());
  subscriber.on("ready", ready);
  return {
    async [Symbol.asyncDispose]() {
      subscriber.off("ready", ready);
      subscriber.removeAllListeners("message");
    },
  };
}

/** A build that a second worker takes over has waited once. */
function measureBegin({ meters }: FollowDeps, { state, requestedAt, attempt }: Build): void {
  if (state.kind === "queued" || state.startedAt === undefined || attempt > 1) return;
  meters.queueWaitS.observe(Math.max(0, Date.parse(state.startedAt) - Date.parse(requestedAt)) / 1_000);
}

async function measureEnd({ config, meters, logBytes }: FollowDeps, build: Build): Promise<void> {
  if (!isFinished(build)) return;
  const labels = { project: projectLabel(config.projects, build.project), result: build.state.kind };
  meters.ended.inc(labels);
  if (build.state.startedAt === undefined) return;
  meters.buildS.observe(labels, durationMs(build) / 1_000);
  const bytes = await logBytes(build.number);
  if (bytes !== undefined) meters.logBytes.observe(bytes);
}

const Event = z.object({ build: Build });

/** The build of an event; undefined for text that is none, from whoever else publishes there. */
function readEvent(json: string): Build | undefined {
  try {
    return Event.safeParse(JSON.parse(json)).data?.build;
  } catch {
    // Not JSON.
    return undefined;
  }
}

/** Numbers that were there already; the oldest are forgotten. */
function createMemory() {
  const known = new Set<number>();
  return {
    isNew(number: number): boolean {
      if (known.has(number)) return false;
      known.add(number);
      const [oldest] = known;
      if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
      return true;
    },
  };
}
