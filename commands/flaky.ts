/** `!flaky`: tests that changed their mind at one revision. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { type Line, line, type Reply, say } from "../src/chat/reply.ts";
import { type FlakyEvent, lostMs, rank, type Unsteady } from "../src/flaky/flaky-event.ts";
import type { Quarantined } from "../src/flaky/quarantine.ts";
import { shownName } from "../src/flaky/shown-test.ts";
import type { ProjectName } from "../src/names.ts";
import { testKey } from "../src/results/test-case.ts";
import { formatAge, formatCount } from "../src/units.ts";

const DAYS = 30;
/** A list of more lines is three and a link. */
const LINES_MAX = 5;
const LINES_OF_MANY = 3;
const ADVICE = "retry_failed: 1 on a step finds them";

export const flaky = defineCommand({
  name: "flaky",
  summary: "Tests that failed and passed at one revision, by the time they cost.",
  examples: ["!flaky", "!flaky docker-registry"],
  args: z.strictObject({ project: z.string().optional() }),
  async run({ args, builds, flaky: ledger, quarantine, config, clock }) {
    const since = new Date(clock.now().getTime() - DAYS * 86_400_000);
    if (args.project === undefined) return ofAll();
    const { name } = builds.project(args.project);
    return ofProject(
      await ledger.events(name, since),
      await quarantine.of(name),
      name,
      `${config.url}/projects/${name}`,
    );

    async function ofAll(): Promise<Reply> {
      const all = await Promise.all(
        [...config.projects.keys()].map(async (project) => ({ project, events: await ledger.events(project, since) })),
      );
      const found = all
        .filter(({ events }) => events.length > 0)
        .toSorted((a, b) => lostMs(b.events) - lostMs(a.events));
      if (found.length === 0) return say("info", [`no test changed its mind at one revision in ${DAYS} days`, ADVICE]);
      const shown = found.slice(0, found.length > LINES_MAX ? LINES_OF_MANY : LINES_MAX);
      const lines = shown.map(({ project, events }) => projectLine(project, events));
      if (shown.length < found.length) {
        lines.push(line("info", [`${found.length - shown.length} more projects`], config.url));
      }
      return { lines };
    }
  },
});

function ofProject(
  events: readonly FlakyEvent[],
  quarantined: readonly Quarantined[],
  project: ProjectName,
  link: string,
): Reply {
  const inQuarantine = quarantined.length === 0 ? "" : `${formatCount(quarantined.length)} in quarantine`;
  if (events.length === 0) {
    const nothing = `${project}: no test changed its mind at one revision in ${DAYS} days`;
    return say("info", [nothing, inQuarantine, ADVICE], link);
  }
  const ranked = rank(events);
  const head = line("info", [summary(project, ranked), `${formatAge(lostMs(events))} lost`, inQuarantine]);
  const shown = ranked.slice(0, ranked.length > LINES_MAX - 1 ? LINES_OF_MANY : LINES_MAX - 1);
  const lines = [head, ...shown.map((each) => unsteadyLine(each, quarantined))];
  const rest = ranked.length - shown.length;
  if (rest > 0) return { lines: [...lines, line("info", [`${formatCount(rest)} more`], link)] };
  return { lines: lines.map((each, index) => (index === lines.length - 1 ? { ...each, link } : each)) };
}

/** `docker-registry: 3 tests changed their mind at one revision in 30 days` */
function summary(project: ProjectName, ranked: readonly Unsteady[]): string {
  const tests = ranked.filter(({ test }) => test !== undefined).length;
  const steps = ranked.length - tests;
  const counted = [
    ...(tests === 0 ? [] : [tests === 1 ? "1 test" : `${formatCount(tests)} tests`]),
    ...(steps === 0 ? [] : [steps === 1 ? "1 step" : `${formatCount(steps)} steps`]),
  ].join(" and ");
  const minds = ranked.length === 1 ? "its mind" : "their mind";
  return `${project}: ${counted} changed ${minds} at one revision in ${DAYS} days`;
}

function projectLine(project: ProjectName, events: readonly FlakyEvent[]): Line {
  const ranked = rank(events);
  const [worst] = ranked;
  const most = worst === undefined ? "" : `most by ${shownName(worst.label)}, ${times(worst)}`;
  return line("info", [summary(project, ranked), `${formatAge(lostMs(events))} lost`, most]);
}

/** `registry/handlers › TestBlobUpload 5 times, 14m lost, last #43 · in quarantine (ada)` */
function unsteadyLine(unsteady: Unsteady, quarantined: readonly Quarantined[]): Line {
  const { test } = unsteady;
  const owner = quarantined.find((entry) => test !== undefined && testKey(entry.test) === testKey(test))?.owner;
  return line("info", [
    `${shownName(unsteady.label)} ${times(unsteady)}, ${formatAge(unsteady.lostMs)} lost, last #${unsteady.last}`,
    owner === undefined ? "" : `in quarantine (${owner})`,
  ]);
}

function times({ times: count }: Unsteady): string {
  return count === 1 ? "once" : count === 2 ? "twice" : `${formatCount(count)} times`;
}
