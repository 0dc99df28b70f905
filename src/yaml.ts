/** YAML files that people write, checked by a schema; every mistake is told at once, with its key and its line. */
import type { z } from "zod";
import { ConfigError } from "./errors.ts";
import { formatCount } from "./units.ts";
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
  /** How long the text may be; 1 MiB unless told. */
  readonly maxCharacters?: number;
}

/** Nobody mends more of them at a time, and each is looked for in the file. */
const MAX_TOLD = 50;

/**
 * Parses and checks one file. An empty file is an empty mapping.
 * @throws ConfigError with all problems, each a whole line: `docker-ci.yml:12: projects.x.limits.memory: found "lots",
 *   allowed: a size such as 512m or 4g`.
 */
export function parseYaml<T>(text: string, options: YamlOptions<T>): T {
  const { file, schema, prepare, crossCheck, isSensitive, maxCharacters } = options;
  const fail = (problems: readonly string[]) => new ConfigError(`${file} cannot be used:`, problems);
  const source = readSource(text, file, maxCharacters);
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
  const lines = problems
    .slice(0, MAX_TOLD)
    .map(({ path, message }) => ({
      line: lineOf(source, path),
      text: path.length === 0 ? message : `${keyPathText(path)}: ${message}`,
    }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text }) => `${file}${line === undefined ? "" : `:${line}`}: ${text}`);
  const more = problems.length - lines.length;
  return more > 0 ? [...lines, `${file}: and ${formatCount(more)} more`] : lines;
}
