/** `!status`: what runs, what waits, what is broken. */
import { z } from "zod";
import { buildLine, runningLine } from "../src/builds/describe.ts";
import { brokenNames, couldNotRun, howAllStand } from "../src/builds/stands.ts";
import { pausedFacts, pausedPhrase } from "../src/builds/waiting.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, lineText, type Reply, SIGNS, say } from "../src/chat/reply.ts";
import { pauseOf } from "../src/queue/pauses.ts";
import { releaseUrl, waitingWords } from "../src/releases/words.ts";
import { formatAge } from "../src/units.ts";

export const status = defineCommand({
  name: "status",
  summary: "What runs, what waits behind it or for approvals, and what is broken; of one project, its latest build.",
  examples: ["!status", "!status docker-registry"],
  args: z.strictObject({ project: z.string().optional().meta({ label: "project or all" }) }),
  async run({ args, builds, config, clock, incidents, releases, schedules }) {
    if (args.project !== undefined && args.project !== "all") return ofProject(args.project);
    const [running, queued, all, pauses, [next], waiting, open] = await Promise.all([
      builds.running(),
      builds.queued(),
      howAllStand(config, builds),
      builds.pauses.all(),
      schedules.coming(clock.now()),
      releases.waiting(),
      incidents.open(),
    ]);
    const broken = brokenNames(all, open);
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
      ...waiting.map((release) => `${SIGNS.queued} ${waitingWords(release, config)}`),
      `broken: ${broken.length === 0 ? "none" : broken.join(", ")}`,
      couldNotRun(all),
      next === undefined ? "" : `${next.what} in ${formatAge(next.next.getTime() - clock.now().getTime())}`,
    ];
    return say("info", facts, config.url);

    async function ofProject(name: string): Promise<Reply> {
      const project = builds.project(name);
      const [[newest], waiting] = await Promise.all([builds.latest(1, project.name), releases.waiting()]);
      const asked = waiting
        .filter(({ plan }) => plan.project === project.name)
        .map((release) => line("queued", [waitingWords(release, config)], releaseUrl(config.url, release)));
      if (newest === undefined)
        return {
          lines: [
            line("info", [`${project.name} has not been built yet`, `${config.prefix}build ${project.name}`]),
            ...asked,
          ],
        };
      const shown = buildLine(newest, config.url, clock.now(), (await builds.expected(newest))?.medianMs);
      const pause = pauseOf(await builds.pauses.all(), project.name);
      if (pause === undefined) return { lines: [shown, ...asked] };
      const told = { now: clock.now(), timezone: config.timezone };
      return { lines: [{ ...shown, facts: [...shown.facts, pausedPhrase(pause, told)] }, ...asked] };
    }
  },
});
