/** Keys that are accepted and checked, and whose feature is not there yet. A feature that arrives loses its line here. */
import { z } from "zod";

const IDLE: Readonly<Record<string, string>> = {
  releases: "releases are",
  backup: "backups are",
  retention: "clearing up old builds is",
};

const Outline = z.looseObject({});

/** One sentence for each idle key of a file's content. */
export function idleSentences(content: unknown): string[] {
  const { success, data } = Outline.safeParse(content);
  if (!success) return [];
  return Object.entries(IDLE)
    .filter(([key]) => data[key] !== undefined)
    .map(([key, feature]) => `${key}: accepted, but ${feature} not there yet; the key does nothing so far`);
}
