/** `!force`: a build in the words of Buildbot's bot, `force build --branch=… --revision=… --props=… docker because of …`. */
import { z } from "zod";
import { accepted, askedIn, requesterOf } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { UserError } from "../src/errors.ts";
import { GitRef, ProjectName } from "../src/names.ts";

export const force = defineCommand({
  name: "force",
  summary: "Queue a build and say why, in the words of Buildbot's bot; props are variables of the steps.",
  examples: [
    "!force build docker the mirror is back",
    "!force build --branch=release --props=GREETING=hi hello to see whether it greets",
  ],
  role: "developer",
  repeatable: true,
  filler: ["build"],
  unlisted: true,
  args: z.strictObject({
    project: z.string(),
    reason: z
      .string()
      .max(200, "a reason of at most 200 characters")
      // One that is mistyped would build something else than was meant.
      .regex(/^(?!--)/, "a reason, which begins with a word; the options are --branch, --revision and --props")
      .optional()
      .meta({ takes: "rest" }),
    branch: GitRef.optional().meta({ takes: "option", label: "name" }),
    revision: GitRef.optional().meta({ takes: "option", label: "commit" }),
    props: z
      .string()
      .max(2_000, "a list of at most 2,000 characters")
      .optional()
      .meta({ takes: "option", label: "name=value,…", secret: true }),
  }),
  async run({ args, builds, message, identity, ...services }) {
    const project = builds.project(args.project);
    const build = await builds.request({
      project: ProjectName.parse(project.name),
      ref: args.revision ?? args.branch ?? project.branch,
      requester: requesterOf(identity, message),
      params: readProps(args.props ?? ""),
      reason: args.reason,
      asked: askedIn(message),
    });
    return accepted(build, { ...services, builds });
  },
});

/** `GREETING=hi,LEVEL=2` */
function readProps(text: string): Record<string, string> {
  const props = text.split(",").filter((prop) => prop.trim() !== "");
  return Object.fromEntries(
    props.map((prop) => {
      const [, name, value] = /^\s*([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/.exec(prop) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new UserError("--props takes name=value, and further ones behind commas: --props=GREETING=hi,LEVEL=2.");
    }),
  );
}
