/** YAML files that people write, checked by a schema; every mistake is told at once, with its key and its line. */
import type { z } from "zod";
import { ConfigError } from "./errors.ts";
import { describeIssue, type KeyPath, keyPathText, type Problem } from "./yaml-issues.ts";
import { lineOf, readSource, type YamlSource } from "./yaml-source.ts";

export type { KeyPath, Problem } from "./yaml-issues.ts";

export interface YamlOptions<T> {
  /** The file's name as it is shown. */
  readonly file: string;
  readonly schema: z.ZodType<T>;
  /** Changes the values before they are checked, and may tell problems of its own. */
  readonly prepare?: (value: unknown) => { readonly value: unknown; readonly problems: readonly Problem[] };
  /** Checks that no schema of one key can make; gets the values as prepared, which may be of any shape. */
  readonly crossCheck?: (value: unknown) => readonly Problem[];
  /** Keys whose values are never shown. */
  readonly isSensitive?: (path: KeyPath) => boolean;
}

/**
 * Parses and checks one file. An empty file is an empty mapping.
 * @throws ConfigError with all problems, each a whole line: `docker-ci.yml:12: projects.x.limits.memory: found "lots",
 *   allowed: a size such as 512m or 4g`.
 */
export function parseYaml<T>(text: string, { file, schema, prepare, crossCheck, isSensitive }: YamlOptions<T>): T {
  const fail = (problems: readonly string[]) => new ConfigError(`${file} cannot be used:`, problems);
  const source = readSource(text, file);
  if ("problems" in source) throw fail(source.problems);

  const prepared = prepare?.(source.value) ?? { value: source.value, problems: [] };
  const parsed = schema.safeParse(prepared.value);
  const content = { value: source.value, isSensitive: isSensitive ?? (() => false) };
  const issues = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describeIssue(issue, content));
  const problems = onePerKey([...prepared.problems, ...issues, ...(crossCheck?.(prepared.value) ?? [])]);
  if (!parsed.success || problems.length > 0) throw fail(problemLines(problems, source, file));
  return parsed.data;
}

/** What a key lacks because of a problem that is told already is no news: the first one counts. */
function onePerKey(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.toReversed().map((problem) => [keyPathText(problem.path), problem])).values()].reverse();
}

/** From the top of the file down. */
function problemLines(problems: readonly Problem[], source: YamlSource, file: string): string[] {
  return problems
    .map(({ path, message }) => ({
      line: lineOf(source, path),
      text: path.length === 0 ? message : `${keyPathText(path)}: ${message}`,
    }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text }) => `${file}${line === undefined ? "" : `:${line}`}: ${text}`);
}
