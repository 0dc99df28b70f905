/** `!disk`: how full the disks are, what takes the room, and what clearing up would give back. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import { prunedFacts } from "../src/retention/words.ts";
import { formatBytes } from "../src/units.ts";

const KINDS_SHOWN = 5;

export const disk = defineCommand({
  name: "disk",
  summary:
    "How full the disks are, what takes the room, and what clearing up would give back; with `prune`, clear up now.",
  examples: ["!disk", "!disk prune"],
  role: "admin",
  repeatable: true,
  args: z.strictObject({
    what: z.literal("prune", { error: '"prune", the one word that may follow' }).optional().meta({ label: "prune" }),
  }),
  async run({ args, retention }) {
    if (args.what === "prune") {
      const pruned = await retention.prune(false);
      const facts = pruned === undefined ? ["somebody is clearing up already"] : prunedFacts(pruned, false);
      return { lines: [line("info", facts)] };
    }
    const [{ disks, kinds, neededBytes }, would] = await Promise.all([retention.usage(), retention.prune(true)]);
    const largest = kinds.slice(0, KINDS_SHOWN).map(({ kind, bytes }) => `${kind} ${formatBytes(bytes)}`);
    const held = disks.some(({ freeBytes }) => freeBytes < neededBytes);
    return {
      lines: [
        line(
          held ? "errored" : "info",
          disks.map(
            ({ of, freeBytes, totalBytes }) => `${of}: ${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free`,
          ),
        ),
        line("info", [
          largest.length === 0 ? "nothing is kept yet" : largest.join(", "),
          held
            ? `no build begins until ${formatBytes(neededBytes)} are free`
            : `builds begin while ${formatBytes(neededBytes)} are free`,
        ]),
        ...(would === undefined ? [] : [line("info", prunedFacts(would, true))]),
      ],
    };
  },
});
