/** `!eta`: when a build should begin and be over. */
import { z } from "zod";
import { type Build, isFinished } from "../src/builds/build.ts";
import { buildLine, buildUrl } from "../src/builds/describe.ts";
import { type ExpectedTimes, expectedPhrase, NO_HISTORY } from "../src/builds/expected.ts";
import type { Forecast } from "../src/builds/forecast.ts";
import { placePhrase } from "../src/builds/waiting.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import { slotsOf } from "../src/queue/worker-status.ts";
import { wallClock } from "../src/report/days.ts";
import { formatCount, formatDuration } from "../src/units.ts";

interface Scene {
  readonly expected: ExpectedTimes | undefined;
  readonly forecast: Forecast | undefined;
  readonly slots: number;
  readonly now: Date;
  readonly timezone: string;
}

export const eta = defineCommand({
  name: "eta",
  summary:
    "When a build should begin and end, from the times of those before it, and how long nine in ten of them took.",
  examples: ["!eta 43"],
  args: z.strictObject({ build: BuildArgument }),
  async run({ args, builds, config, clock, workers }) {
    const build = await builds.get(args.build);
    const now = clock.now();
    if (isFinished(build)) return { lines: [buildLine(build, config.url, now)] };
    const up = await workers();
    const slots = slotsOf(up);
    const outlook = await builds.outlook(up);
    const scene: Scene = {
      expected: outlook.expected(build),
      forecast: outlook.forecast(build),
      slots,
      now,
      timezone: config.timezone,
    };
    const facts = build.state.kind === "running" ? whileRunning(build.state, scene) : whileQueued(scene);
    return {
      lines: [
        line(
          build.state.kind,
          [`${build.project} #${build.number} ${build.state.kind}${facts.lead}`, ...facts.more],
          buildUrl(config.url, build.number),
        ),
      ],
    };
  },
});

interface Facts {
  /** Right behind the build's name. */
  readonly lead: string;
  readonly more: readonly string[];
}

function whileRunning({ startedAt }: Extract<Build["state"], { kind: "running" }>, scene: Scene): Facts {
  const { expected, now } = scene;
  const elapsedMs = now.getTime() - Date.parse(startedAt);
  const lead = ` for ${formatDuration(elapsedMs)}`;
  if (expected === undefined) return { lead, more: [NO_HISTORY] };
  const isLate = elapsedMs > expected.medianMs;
  const ends =
    elapsedMs > expected.p90Ms
      ? "longer than usual, so it may end at any moment or hang"
      : isLate
        ? `longer than the usual ${formatDuration(expected.medianMs)}`
        : endPhrase(expected.medianMs - elapsedMs, scene);
  return { lead, more: [ends, percentilePhrase(expected)] };
}

function whileQueued(scene: Scene): Facts {
  const { expected, forecast, slots } = scene;
  const place = placePhrase(forecast, scene);
  if (slots === 0) return { lead: "", more: [place, "no worker is up, so nothing begins", expectedPhrase(expected)] };
  if (forecast?.waitsFor?.kind === "paused") return { lead: "", more: [place, expectedPhrase(expected)] };
  if (forecast?.beginsInMs === undefined) {
    return {
      lead: "",
      more: [place, `when it begins cannot be told: there is ${NO_HISTORY} of one before it`, expectedPhrase(expected)],
    };
  }
  if (expected === undefined) return { lead: "", more: [place, NO_HISTORY] };
  const ends = forecast.endsInMs === undefined ? "" : endPhrase(forecast.endsInMs, scene);
  return {
    lead: "",
    more: [place, ends, `takes about ${formatDuration(expected.medianMs)}`, percentilePhrase(expected)],
  };
}

/** `ends in about 2m55s, at 17:44 Etc/UTC` */
function endPhrase(inMs: number, { now, timezone }: Scene): string {
  const at = wallClock(new Date(now.getTime() + inMs), timezone).slice(11, 16);
  return `ends in about ${formatDuration(inMs)}, at ${at} ${timezone}`;
}

/** `90% of 20 builds took 4m00s at most` */
function percentilePhrase({ p90Ms, from }: ExpectedTimes): string {
  const builds = from === 1 ? "the one build so far" : `90% of ${formatCount(from)} builds`;
  return `${builds} took ${formatDuration(p90Ms)}${from === 1 ? "" : " at most"}`;
}
