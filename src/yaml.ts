/** YAML files that people write, checked by a schema; every mistake is told at once, with its key and its line. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import type { z } from "zod";
import { ConfigError } from "./errors.ts";

/** A key's place: `["slack", 0, "bot_token"]`. */
export type KeyPath = readonly PropertyKey[];

/** One mistake. `message` is the rest of the line behind the key. */
export interface Problem {
  readonly path: KeyPath;
  readonly message: string;
}

export interface YamlOptions<T> {
  /** The file's name as it is shown. */
  readonly file: string;
  /** The first line of the error: `docker-ci.yml cannot be used`. Default: made of the file's name. */
  readonly summary?: string;
  readonly schema: z.ZodType<T>;
  /** Changes the values before they are checked, and may tell problems of its own. */
  readonly prepare?: (value: unknown) => { readonly value: unknown; readonly problems: readonly Problem[] };
  /** Checks that no schema of one key can make; gets the values as prepared, which may be of any shape. */
  readonly crossCheck?: (value: unknown) => readonly Problem[];
  /** Keys whose values are never printed. */
  readonly isSensitive?: (path: KeyPath) => boolean;
}

/** No file that a person writes for us is larger; the parser's memory is a multiple of it. */
const MAX_CHARACTERS = 1024 * 1024;
/** Enough for shared defaults, too few for a "billion laughs". */
const MAX_ALIASES = 100;

/**
 * Parses and checks one file. An empty file is an empty mapping.
 * @throws ConfigError with all problems, each a whole line: `docker-ci.yml:12: projects.x.limits.memory: found "lots",
 *   allowed: a size such as 512m or 4g`.
 */
export function parseYaml<T>(text: string, options: YamlOptions<T>): T {
  const fail = (problems: readonly string[]): ConfigError =>
    new ConfigError(options.summary ?? `${options.file} cannot be used:`, problems);
  const source = readSource(text, options.file);
  if ("problems" in source) throw fail(source.problems);

  const prepared = options.prepare?.(source.value) ?? { value: source.value, problems: [] };
  const parsed = options.schema.safeParse(prepared.value);
  const issues = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describeIssue(issue, source, options));
  const told = new Set(prepared.problems.map(({ path }) => keyPathText(path)));
  const problems = [
    ...prepared.problems,
    // What a key lacks because of a problem told already is no news.
    ...issues.filter(({ path }) => !told.has(keyPathText(path))),
    ...(options.crossCheck?.(prepared.value) ?? []),
  ];
  if (!parsed.success || problems.length > 0) throw fail(inOrder(problems, source, options.file));
  return parsed.data;
}

/** `slack[0].bot_token`, `projects.docker.repo`. */
export function keyPathText(path: KeyPath): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`))
    .join("");
}

interface Source {
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

function readSource(text: string, file: string): Source | { readonly problems: readonly string[] } {
  if (text.length > MAX_CHARACTERS) return { problems: [`${file}: larger than 1 MiB, allowed: up to 1 MiB`] };
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
    const complaints = [...document.errors, ...document.warnings];
    if (complaints.length > 0) {
      return {
        problems: complaints.map(({ pos, message }) => `${file}:${lines.linePos(pos[0]).line}: ${oneLine(message)}`),
      };
    }
    keepNumbersAsWritten(document);
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    return { value, document, lines };
  } catch (error) {
    // An alias without an anchor, too many aliases, or brackets nested deeper than the stack.
    if (!(error instanceof Error)) throw error;
    const reason = error instanceof RangeError ? "nested too deeply" : oneLine(error.message);
    return { problems: [`${file}: ${reason}`] };
  }
}

/** `1.20` is no number for whoever wrote it as a version: what would not print as it was written stays text. */
function keepNumbersAsWritten(document: Document): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === "number" && node.source !== undefined && String(node.value) !== node.source) {
        node.value = node.source;
      }
    },
  });
}

/** A problem as a schema's own check tells it: its message is the whole rest of the line. */
export function toIssue({ path, message }: Problem) {
  return { code: "custom" as const, path: [...path], message, params: { whole: true } };
}

type Issue = z.core.$ZodIssue;

function describeIssue<T>(issue: Issue, source: Source, options: YamlOptions<T>, base: KeyPath = []): Problem[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    // The message has a line for each key, in this order: see `section`.
    const messages = issue.message.split("\n");
    return issue.keys.map((key, index) => ({ path: [...path, key], message: messages[index] ?? "unknown key" }));
  }
  if (issue.code === "invalid_union") {
    const inner = innermost(issue.errors);
    if (inner !== undefined) return inner.flatMap((nested) => describeIssue(nested, source, options, path));
  }
  if (issue.code === "invalid_key") {
    const allowed = issue.issues.map(({ message }) => message).join(", ");
    return [{ path, message: `not a name that can stand here, allowed: ${allowed}` }];
  }
  if (issue.code === "custom" && issue.params?.whole === true) return [{ path, message: issue.message }];
  const { found, missing } = lookUp(source.value, path);
  if (missing) return [{ path, message: `missing, needed: ${issue.message}` }];
  const shown = options.isSensitive?.(path) === true ? kindOf(found) : show(found);
  return [{ path, message: `found ${shown}, allowed: ${issue.message}` }];
}

/** Of a union's branches, the one that was meant: it got the shape right and failed further in. */
function innermost(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => issues.some(({ path, code }) => path.length > 0 || code === "unrecognized_keys"));
}

function lookUp(value: unknown, path: KeyPath): { readonly found: unknown; readonly missing: boolean } {
  let found = value;
  for (const part of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, part))
      return { found: undefined, missing: true };
    found = Reflect.get(found, part);
  }
  return { found, missing: false };
}

function show(value: unknown): string {
  if (value === null || value === undefined || typeof value === "object") return kindOf(value);
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return (
    { string: value === "" ? "an empty text" : "a text", number: "a number", boolean: "true or false" }[
      String(typeof value)
    ] ?? "something else"
  );
}

/** The lines as they are told, from the top of the file down. */
function inOrder(problems: readonly Problem[], source: Source, file: string): string[] {
  return problems
    .map(({ path, message }) => ({
      line: lineOf(source, path),
      text: `${keyPathText(path)}: ${message}`.replace(/^: /, ""),
    }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text }) => `${file}${line === undefined ? "" : `:${line}`}: ${text}`);
}

/** The line of a key, or of the nearest key around it that is in the file. */
function lineOf({ document, lines }: Source, path: KeyPath): number | undefined {
  let node: unknown = document.contents;
  let offset = offsetOf(node);
  for (const part of path) {
    const collection: unknown = isAlias(node) ? node.resolve(document) : node;
    if (!isCollection(collection)) break;
    const item: unknown = isMap(collection)
      ? collection.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(part))
      : collection.items[Number(part)];
    if (item === undefined) break;
    offset = (isPair(item) ? offsetOf(item.key) : offsetOf(item)) ?? offset;
    node = isPair(item) ? item.value : item;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isCollection(node) || isAlias(node) ? rangeOf(node) : undefined;
}

function rangeOf(node: Node): number | undefined {
  return node.range?.[0];
}

function oneLine(message: string): string {
  return message
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/ at line \d+, column \d+:?.*$/, "")
    .trim();
}
