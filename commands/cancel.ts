/** `!cancel`: take a build out of the line, or stop it. */
import { z } from "zod";
import { buildLine } from "../src/builds/describe.ts";
import { BuildOrProject, underWay } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import type { BuildNumber } from "../src/names.ts";

const SHOWN = 10;

export const cancel = defineCommand({
  name: "cancel",
  aliases: ["stop"],
  summary: "Stop a build, queued or running, or the only one of a project; the reason is kept with it.",
  examples: ["!cancel 43", "!cancel 43 superseded by 44", "!cancel docker"],
  role: "developer",
  repeatable: true,
  // Buildbot's bot stops builds so: stop build docker superseded.
  filler: ["build"],
  args: z.strictObject({
    build: BuildOrProject.meta({ label: "build or project" }),
    reason: z.string().max(200, "a reason of at most 200 characters").optional().meta({ takes: "rest" }),
  }),
  async run({ args, builds, identity, message, config, clock }) {
    const number = typeof args.build === "number" ? args.build : await onlyOne(args.build);
    const outcome = await builds.cancel(number, identity.name, args.reason);
    const { build } = outcome;
    const name = `${build.project} #${build.number}`;
    switch (outcome.kind) {
      case "over":
        return { lines: [buildLine(build, config.url, clock.now())] };
      case "stopping":
        return say("running", [`stopping ${name}`, elsewhere(build.requester.room.name, message.room.name)]);
      case "cancelled":
        return say("cancelled", [`${name} taken out of the line`]);
      default:
        return outcome satisfies never;
    }

    async function onlyOne(project: string): Promise<BuildNumber> {
      const [first, ...others] = await underWay(builds, project);
      if (first === undefined) throw new UserError(`nothing of ${project} runs or waits.`);
      if (others.length === 0) return first.number;
      const all = [first, ...others].slice(0, SHOWN).map((build) => `#${build.number}`);
      const more = others.length < SHOWN ? "" : " and more";
      throw new UserError(
        `${project} has ${all.join(", ")}${more} under way; name one: ${config.prefix}cancel ${first.number}`,
      );
    }
  },
});

/** The result is said where the build was asked for, which may be another room. */
function elsewhere(asked: string, here: string): string {
  return asked === here ? "" : `the result goes to ${asked}, where it was asked for`;
}
