/** `!repro`: the commands that repeat a step on another machine. */
import { z } from "zod";
import { buildUrl } from "../src/builds/describe.ts";
import { findRepro } from "../src/builds/find-repro.ts";
import { reproCommands } from "../src/builds/repro.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import { stepLabel } from "../src/pipeline/plan.ts";

/** With the line above them no more than five. */
const COMMANDS_MAX = 4;
/** A longer line would be broken in two on IRC, and a broken command is none. */
const LENGTH_MAX = 300;
const NAMES_MAX = 5;

export const repro = defineCommand({
  name: "repro",
  summary: "The commands that repeat a failed step of a build on a laptop, without the values of secrets.",
  examples: ["!repro 43", "!repro 43 tests"],
  args: z.strictObject({
    build: BuildArgument,
    step: z.string().optional().meta({ takes: "rest" }),
  }),
  async run({ args, builds, config }) {
    const { build, plan, step, scene } = await findRepro({ builds, config }, args.build, args.step);
    const { commands, unset } = reproCommands(build, plan, step, { ...scene, brief: true });
    const named = args.step === undefined ? "" : `?step=${encodeURIComponent(step.id)}`;
    const link = `${buildUrl(config.url, build.number)}/repro${named}`;
    const rest = unset.length - NAMES_MAX;
    const names = `${unset.slice(0, NAMES_MAX).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
    const facts = [
      `${build.project} #${build.number} step ${stepLabel(step).slice(0, LENGTH_MAX)}, repeated with git and docker`,
      unset.length === 0 ? "" : `to be exported before, as they are not told: ${names}`,
    ];
    const fits = commands.length <= COMMANDS_MAX && commands.every(isShort);
    return { lines: [line("info", facts, link)], ...(fits ? { verbatim: [...commands] } : {}) };
  },
});

function isShort(command: string): boolean {
  return command.length <= LENGTH_MAX && !command.includes("\n") && !/ {2}/.test(command);
}
