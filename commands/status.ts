/** `!status`: what runs, what waits, what is broken. */
import { z } from "zod";
import type { Build } from "../src/builds/build.ts";
import { isFinished } from "../src/builds/build.ts";
import { buildLine, runningLine } from "../src/builds/describe.ts";
import { pausedFacts, pausedPhrase } from "../src/builds/waiting.ts";
import { defineCommand } from "../src/chat/command.ts";
import { lineText, type Reply, say } from "../src/chat/reply.ts";
import { pauseOf } from "../src/queue/pauses.ts";
import { formatAge } from "../src/units.ts";

export const status = defineCommand({
  name: "status",
  summary: "What runs, what waits behind it, and what is broken; of one project, its latest build.",
  examples: ["!status", "!status docker-registry"],
  args: z.strictObject({ project: z.string().optional() }),
  async run({ args, builds, config, clock, schedules }) {
    if (args.project !== undefined) return ofProject(args.project);
    const [running, queued, latest, pauses, [next]] = await Promise.all([
      builds.running(),
      builds.queued(),
      lastOfEach(),
      builds.pauses.all(),
      schedules.coming(clock.now()),
    ]);
    const facts = [
      ...pausedFacts(pauses, { now: clock.now(), timezone: config.timezone }),
      ...(await Promise.all(
        running.map(async (build) =>
          lineText(runningLine(build, clock.now(), (await builds.expected(build))?.medianMs)),
        ),
      )),
      ...queued.slice(0, 3).map(({ project, number }) => `○ ${project} #${number}`),
      queued.length > 3 ? `${queued.length - 3} more queued` : "",
      running.length + queued.length === 0 ? "nothing runs or waits" : "",
      `broken: ${broken(latest)}`,
      next === undefined ? "" : `${next.what} in ${formatAge(next.next.getTime() - clock.now().getTime())}`,
    ];
    return say("info", facts, config.url);

    async function ofProject(name: string): Promise<Reply> {
      const project = builds.project(name);
      const [newest] = await builds.latest(1, project.name);
      if (newest === undefined)
        return say("info", [`${project.name} has not been built yet`, `${config.prefix}build ${project.name}`]);
      const shown = buildLine(newest, config.url, clock.now(), (await builds.expected(newest))?.medianMs);
      const pause = pauseOf(await builds.pauses.all(), project.name);
      if (pause === undefined) return { lines: [shown] };
      const told = { now: clock.now(), timezone: config.timezone };
      return { lines: [{ ...shown, facts: [...shown.facts, pausedPhrase(pause, told)] }] };
    }

    /** The newest finished build of every project. */
    async function lastOfEach(): Promise<Build[]> {
      const found = await Promise.all([...config.projects.keys()].map((name) => builds.latest(5, name)));
      return found.flatMap((newest) => newest.filter(isFinished).slice(0, 1));
    }
  },
});

function broken(latest: readonly Build[]): string {
  const names = latest.filter(({ state }) => state.kind === "failed" || state.kind === "errored");
  return names.length === 0 ? "none" : names.map(({ project, number }) => `${project} #${number}`).join(", ");
}
