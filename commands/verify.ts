/** `!verify`: whether what a bucket serves of a version is what was signed. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { UserError } from "../src/errors.ts";
import { verdictLines } from "../src/releases/publish/verify-words.ts";
import { Version } from "../src/releases/release.ts";

/** Every byte is read. */
const PATIENCE_MS = 10 * 60_000;

export const verify = defineCommand({
  name: "verify",
  summary: "Compare what the bucket serves of a version, or of the latest, with the manifest that was signed.",
  examples: ["!verify docker", "!verify docker 0.9.0", "!verify docker 2026-11-22"],
  role: "developer",
  changes: false,
  args: z.strictObject({ project: z.string(), version: Version.optional() }),
  async run({ args, builds, verifyRelease, config }) {
    const { name: project } = builds.project(args.project);
    if (verifyRelease === undefined) throw new UserError("no releases are configured here.");
    const verdict = await verifyRelease({ project, version: args.version }, AbortSignal.timeout(PATIENCE_MS));
    return { lines: verdictLines(verdict, config.url) };
  },
});
