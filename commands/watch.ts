/** `!watch`: tell me here how that build ends. */
import { z } from "zod";
import { isFinished } from "../src/builds/build.ts";
import { resultLine, resultReply } from "../src/builds/describe.ts";
import { BuildOrProject, underWay } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import type { BuildNumber } from "../src/names.ts";

/** Of many that run or wait no more are named. */
const OTHERS_SHOWN = 9;

export const watch = defineCommand({
  name: "watch",
  summary: "Say here, to you, how a build ends that was asked for elsewhere, or all of a project that run or wait.",
  examples: ["!watch 43", "!watch docker"],
  changes: true,
  repeatable: true,
  args: z.strictObject({ build: BuildOrProject.meta({ label: "build or project" }) }),
  async run({ args, builds, subscriptions, message, config }) {
    const { displayName: to, account } = message.speaker;
    const who = account === undefined ? { to } : { to, toAccount: account };
    const numbers =
      typeof args.build === "number"
        ? [args.build]
        : (await underWay(builds, args.build)).map((build): BuildNumber => build.number);
    if (numbers.length === 0) throw new UserError(`nothing of ${args.build} runs or waits.`);
    for (const number of numbers) await subscriptions.watch(number, { room: message.room, ...who });
    // Looked up after it is written down: a build that ends in between is told here, or by the notice, and never by none.
    const found = await Promise.all(numbers.map((number) => builds.get(number)));
    const over = found.filter(isFinished);
    const [first, ...others] = found.filter((build) => !isFinished(build));
    const [only] = over;
    if (first === undefined && only !== undefined && over.length === 1) return resultReply(only, config.url);
    const ends = over.map((build) => resultLine(build, config.url));
    if (first === undefined) return { lines: ends };
    const rest = others.length - OTHERS_SHOWN;
    const named = others.slice(0, OTHERS_SHOWN).map(({ number }) => `#${number}`);
    const all = `${[`${first.project} #${first.number}`, ...named].join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
    const hear = line(first.state.kind, [`you will hear how ${all} ${others.length === 0 ? "ends" : "end"}`]);
    return { lines: [hear, ...ends] };
  },
});
