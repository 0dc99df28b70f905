/** `!list`: the projects, and how each stands. */
import { z } from "zod";
import type { Build } from "../src/builds/build.ts";
import { howAllStand, type Stands } from "../src/builds/stands.ts";
import { defineCommand } from "../src/chat/command.ts";
import { SIGNS, say } from "../src/chat/reply.ts";

/** In one line; the page has all of them. */
const SHOWN = 20;

export const list = defineCommand({
  name: "list",
  aliases: ["projects", "builders"],
  summary: "The projects, and how each of them stands.",
  examples: ["!list"],
  // Buildbot's bot lists builders so.
  filler: ["builders", "projects"],
  args: z.strictObject({}),
  async run({ builds, config }) {
    const all = await howAllStand(config, builds);
    if (all.length === 0) return say("info", ["no project is configured"], config.url);
    const rest = all.length - SHOWN;
    return say("info", [...all.slice(0, SHOWN).map(phrase), rest > 0 ? `${rest} more` : ""], config.url);
  },
});

/** `✔ docker #43 passed`, `○ hello not built yet` */
function phrase({ project, build }: Stands): string {
  if (build === undefined) return `${SIGNS.queued} ${project.name} not built yet`;
  return `${SIGNS[build.state.kind]} ${project.name} #${build.number} ${wordOf(build)}`;
}

function wordOf({ state }: Build): string {
  return state.kind === "errored" ? "could not run" : state.kind;
}
