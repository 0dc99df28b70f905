/** Keys that are accepted and checked, and whose feature is not there yet. A feature that arrives loses its line here. */
import { z } from "zod";

const TOP_LEVEL: Readonly<Record<string, string>> = {
  releases: "releases are",
  backup: "backups are",
  retention: "clearing up old builds is",
};

const OF_PROJECT: Readonly<Record<string, string>> = {};

const Outline = z.looseObject({
  projects: z.record(z.string(), z.looseObject({}).catch({})).catch({}),
});

/** One sentence for each idle key of a file's content; a key of several projects is told once. */
export function idleSentences(content: unknown): string[] {
  const { success, data } = Outline.safeParse(content);
  if (!success) return [];
  return [
    ...Object.keys(TOP_LEVEL)
      .filter((key) => data[key] !== undefined)
      .map((key) => sentence(key, TOP_LEVEL[key] ?? "")),
    ...Object.keys(OF_PROJECT).flatMap((key) =>
      withKey(data.projects, key).map((where) => sentence(`projects.${where}.${key}`, OF_PROJECT[key] ?? "")),
    ),
  ];
}

/** The first name whose entry has the key, and how many more have it; nothing when none has. */
function withKey(entries: Readonly<Record<string, Record<string, unknown>>>, key: string): string[] {
  const [first, ...more] = Object.keys(entries).filter((name) => entries[name]?.[key] !== undefined);
  if (first === undefined) return [];
  return [more.length === 0 ? first : `{${[first, ...more].join(",")}}`];
}

function sentence(key: string, feature: string): string {
  return `${key}: accepted, but ${feature} not there yet; the key does nothing so far`;
}
