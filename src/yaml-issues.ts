/** What a schema has against a file's content, in sentences for whoever wrote the file. */
import type { z } from "zod";

/** A key's place: `["slack", 0, "bot_token"]`. */
export type KeyPath = readonly PropertyKey[];

/** One mistake. `message` is the rest of the line behind the key. */
export interface Problem {
  readonly path: KeyPath;
  readonly message: string;
}

/** `slack[0].bot_token`, `projects.docker.repo`. */
export function keyPathText(path: KeyPath): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`))
    .join("");
}

/** A problem as a schema's own check tells it: its message is the whole rest of the line. */
export function toIssue({ path, message }: Problem) {
  return { code: "custom" as const, path: [...path], message, params: { whole: true } };
}

export interface Content {
  /** As it stands in the file, before anything was filled in: that is what its author knows, and no secret. */
  readonly value: unknown;
  /** Keys whose values are never shown. */
  readonly isSensitive: (path: KeyPath) => boolean;
}

type Issue = z.core.$ZodIssue;

/** The problems behind one issue; a schema's message is taken for what is allowed. */
export function describeIssue(issue: Issue, content: Content, base: KeyPath = []): Problem[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    // The message has a line for each key, in this order: see `section`.
    const messages = issue.message.split("\n");
    return issue.keys.map((key, index) => ({ path: [...path, key], message: messages[index] ?? "unknown key" }));
  }
  if (issue.code === "invalid_union") {
    const meant = meantBranch(issue.errors);
    if (meant !== undefined) return meant.flatMap((nested) => describeIssue(nested, content, path));
  }
  if (issue.code === "invalid_key") {
    const allowed = issue.issues.map(({ message }) => message).join(", ");
    return [{ path, message: `this name cannot stand here, allowed: ${allowed}` }];
  }
  if (issue.code === "custom" && issue.params?.whole === true) return [{ path, message: issue.message }];
  const { found, missing } = lookUp(content.value, path);
  if (missing) return [{ path, message: `missing, needed: ${issue.message}` }];
  const shown = content.isSensitive(path) ? kindOf(found) : show(found);
  return [{ path, message: `found ${shown}, allowed: ${issue.message}` }];
}

/** Of a union's branches, the one that was meant: it got the shape right and failed further in. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => issues.some(({ path, code }) => path.length > 0 || code === "unrecognized_keys"));
}

function lookUp(value: unknown, path: KeyPath): { readonly found: unknown; readonly missing: boolean } {
  let found = value;
  for (const part of path) {
    const isInside = typeof found === "object" && found !== null && Object.hasOwn(found, part);
    // A single entry may stand for a list of one.
    if (!isInside && part === 0 && typeof found === "string") continue;
    if (!isInside) return { found: undefined, missing: true };
    found = Reflect.get(Object(found), part);
  }
  return { found, missing: false };
}

/** Addresses of repositories may carry one. */
const PASSWORD_IN_ADDRESS = /\/\/[^/@\s]+@/g;

function show(value: unknown): string {
  if (value === "" || value === null || value === undefined || typeof value === "object") return kindOf(value);
  const text = JSON.stringify(value).replace(PASSWORD_IN_ADDRESS, "//…@");
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string") return value === "" ? "an empty text" : "a text";
  return typeof value === "boolean" ? "true or false" : "a number";
}
