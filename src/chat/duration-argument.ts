/** A time as people say it: `30m`, `2h`, `3d`; at most a year. */
import { z } from "zod";
import { DURATION_EXAMPLES, parseDuration } from "../units.ts";

const MAX_MS = 366 * 86_400_000;

export const DurationArgument = z.string().transform((text, context) => {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs > 0 && durationMs <= MAX_MS) return durationMs;
  context.addIssue({ code: "custom", message: `${DURATION_EXAMPLES}, at most a year` });
  return z.NEVER;
});
