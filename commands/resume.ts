/** `!resume`: builds begin again. */
import { z } from "zod";
import { pausedFacts, pausedPhrase } from "../src/builds/waiting.ts";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const resume = defineCommand({
  name: "resume",
  summary: "Let builds begin again that were paused, of one project, or those for which everything was.",
  examples: ["!resume", "!resume docker-registry"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({ project: z.string().optional() }),
  async run({ args, builds, config, clock }) {
    const kept = (await builds.pauses.all()).find(
      (pause) => pause.project !== undefined && pause.project === args.project,
    );
    // A project that is configured no more can still be held.
    const project = args.project === undefined ? undefined : (kept?.project ?? builds.project(args.project).name);
    const told = { now: clock.now(), timezone: config.timezone };
    const held = await builds.pauses.resume(project);
    const left = (await builds.pauses.all()).filter((pause) => project === undefined || pause.project === undefined);
    const notPaused =
      project === undefined && left.length === 0
        ? "nothing was paused"
        : `${project ?? "the queue as a whole"} was not paused`;
    const queued = (await builds.queued()).filter((build) => project === undefined || build.project === project);
    return say("info", [
      held === undefined
        ? notPaused
        : `${project ?? "everything"} resumed, ${pausedPhrase(held, told).replace(/^paused/, "was paused")}`,
      held === undefined || queued.length === 0 ? "" : `${queued.length} queued`,
      ...pausedFacts(left, told).map((fact) =>
        fact.startsWith("paused") ? `everything is still ${fact}` : `still: ${fact}`,
      ),
    ]);
  },
});
