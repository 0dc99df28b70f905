/** Shows builds under way in the rooms that asked for them, where a chat can show one line changing in place. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import type { Chat } from "../chat/chat.ts";
import { type Line, line } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import { describeError } from "../errors.ts";
import type { BuildNumber } from "../names.ts";
import { formatDuration } from "../units.ts";
import { Build } from "./build.ts";
import type { Builds } from "./builds.ts";
import { buildActions, buildKey, revisionName } from "./describe.ts";
import { type ExpectedTimes, progressPhrase } from "./expected.ts";

const TICK_MS = 1_000;
/** So often a build on show is looked up, should Redis have been away when it ended: nobody tells that twice. */
const LOOK_MS = 5_000;
const BAR_CELLS = 16;
/** A build that takes longer than it used to stands at this, not at its end. */
const BAR_MAX = 0.98;

/** What the store publishes at every change. Text that is none, from whoever else publishes there, is passed over. */
const Event = z
  .string()
  .transform((json, context): unknown => {
    try {
      return JSON.parse(json);
    } catch {
      // Said as an issue, which is how the reader hears of it.
      context.addIssue({ code: "custom", message: "not JSON" });
      return z.NEVER;
    }
  })
  .pipe(z.object({ build: Build }));

/** @param subscriber a connection of its own, in subscriber mode from now on; not closed here. */
export async function showProgress(
  deps: {
    readonly builds: Pick<Builds, "get" | "expected">;
    readonly eventChannel: string;
    readonly url: string;
    readonly chats: ReadonlyMap<string, Chat>;
    readonly clock: Clock;
    readonly log: Logger;
    readonly lookMs?: number;
  },
  subscriber: Redis,
): Promise<AsyncDisposable> {
  const { builds, chats, clock, log, lookMs = LOOK_MS } = deps;
  const shown = new Map<BuildNumber, { build: Build; expected: ExpectedTimes | undefined }>();

  const show = (build: Build, shownLine: Line | undefined): void => {
    const { room } = build.requester;
    chats.get(room.network)?.progress?.(
      room,
      buildKey(build.number),
      shownLine && {
        lines: [shownLine],
        key: buildKey(build.number),
        actions: buildActions(build, deps.url),
      },
    );
  };
  const follow = async (number: BuildNumber): Promise<void> => {
    const build = await builds.get(number);
    if (build.state.kind !== "running") {
      if (shown.delete(number)) show(build, undefined);
      return;
    }
    const known = shown.get(number);
    const expected = known === undefined ? await builds.expected(build) : known.expected;
    shown.set(number, { build, expected });
    show(build, progressLine(build, clock.now(), expected));
  };
  // One after the other, and each by the record as it is then: news that comes late brings back nothing that is over.
  let following = Promise.resolve();
  const look = (number: BuildNumber): void => {
    following = following
      .then(() => follow(number))
      .catch((error: unknown) => log.debug({ reason: describeError(error) }, "progress not shown"));
  };

  subscriber.on("message", (channel: string, json: string) => {
    if (channel !== deps.eventChannel) return;
    const event = Event.safeParse(json);
    if (!event.success) return;
    const { number, requester } = event.data.build;
    if (chats.get(requester.room.network)?.progress !== undefined) look(number);
  });
  await subscriber.subscribe(deps.eventChannel);
  const timers = [
    setInterval(() => {
      for (const { build, expected } of shown.values()) show(build, progressLine(build, clock.now(), expected));
    }, TICK_MS),
    setInterval(() => [...shown.keys()].forEach(look), lookMs),
  ];
  for (const timer of timers) timer.unref();

  return {
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** `● hello #1 step 2 of 2 tests · main 5c1d2e0 · ▓▓▓▓▓▓▓▓▓▓▓▓░░░░ 3s of about 4.1s, 90% within 5.0s` */
export function progressLine(build: Build, now: Date, expected: ExpectedTimes | undefined): Line {
  const { state } = build;
  if (state.kind !== "running") return line("queued", [`${build.project} #${build.number}`]);
  const step =
    state.step === undefined ? "fetching" : `step ${state.step.index} of ${state.step.count} ${state.step.name}`;
  const elapsedMs = Math.max(0, now.getTime() - Date.parse(state.startedAt));
  const elapsed = formatDuration(Math.floor(elapsedMs / 1_000) * 1_000);
  const bar = expected === undefined ? "" : `${progressBar(elapsedMs / expected.medianMs)} `;
  return line("running", [
    `${build.project} #${build.number} ${step}`,
    revisionName(build),
    `${bar}${elapsed}${progressPhrase(elapsedMs, expected)}`,
  ]);
}

export function progressBar(fraction: number): string {
  const filled = Math.round(Math.min(Math.max(fraction, 0), BAR_MAX) * BAR_CELLS);
  return "▓".repeat(filled) + "░".repeat(BAR_CELLS - filled);
}
