/**
 * The building blocks of every file schema. An error's message here is always the half-sentence behind "allowed:".
 *
 * A value that came from `$NAME` is text, whatever it stands for, so numbers and switches are read from text too.
 */
import { z } from "zod";
import { didYouMean, nearest } from "../nearest.ts";
import { DURATION_EXAMPLES, parseDuration, parseSize, SIZE_EXAMPLES } from "../units.ts";
import { Secret } from "./secret.ts";

/** A mapping of exactly these keys; an unknown one is told the nearest of them. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? // One line for each key: describeIssue in yaml.ts takes them apart.
          issue.keys.map((key) => unknownKey(key, keys)).join("\n")
        : `a mapping with the keys ${keys.join(", ")}`,
  });
}

function unknownKey(key: string, keys: readonly string[]): string {
  const hint = didYouMean(nearest(key, keys, 1));
  return hint === "" ? `unknown key, allowed: ${keys.join(", ")}` : `unknown key. ${hint}`;
}

/** One value read from its text; `read` gives `undefined` for what is not allowed. */
export function scalar<T>(allowed: string, read: (text: string) => T | undefined) {
  return z.union([z.string(), z.number(), z.boolean()], { error: allowed }).transform((value, context): T => {
    const result = read(String(value));
    if (result !== undefined) return result;
    context.addIssue({ code: "custom", message: allowed });
    return z.NEVER;
  });
}

/** A list; anything else is told what an entry is. */
export function list<Item extends z.ZodType>(item: Item, entries: string) {
  return z.array(item, { error: `a list of ${entries}` });
}

/** A list, or a single entry in place of a list of one. */
export function oneOrMany<Item extends z.ZodType>(item: Item, entries: string) {
  return z.preprocess(
    (value) => (typeof value === "string" || typeof value === "number" ? [value] : value),
    list(item, entries),
  );
}

/** Names to values; `what` says what it maps. */
export function mapping<Key extends z.core.$ZodRecordKey, Value extends z.ZodType>(
  key: Key,
  value: Value,
  what: string,
) {
  return z.record(key, value, { error: (issue) => (issue.code === "invalid_type" ? what : undefined) });
}

/** Text of at least one character, without line breaks at its ends. */
export function text(allowed = "text") {
  return scalar(allowed, (value) => (value.trim() === "" ? undefined : value.trim()));
}

/** Text that matches. */
export function textLike(pattern: RegExp, allowed: string) {
  return scalar(allowed, (value) => (pattern.test(value) ? value : undefined));
}

/** Any text, the empty one too: the value of an environment variable. */
export const anyText = scalar("text", (value) => value);

export const secret = scalar("text that is not empty", (value) => (value === "" ? undefined : new Secret(value)));

export const flag = scalar("true or false", (value) =>
  value === "true" ? true : value === "false" ? false : undefined,
);

/** A whole number in a range. */
export function count(min: number, max: number) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return scalar(`a whole number ${range}`, (value) =>
    /^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max ? Number(value) : undefined,
  );
}

/** A number in a range, fractions too. */
export function amount(min: number, max: number) {
  return scalar(`a number from ${min} to ${max}`, (value) =>
    /^\d{1,9}(\.\d{1,9})?$/.test(value) && Number(value) >= min && Number(value) <= max ? Number(value) : undefined,
  );
}

export const port = count(1, 65535);

/** A duration in milliseconds, never zero. */
export const duration = scalar(DURATION_EXAMPLES, (value) => {
  const durationMs = parseDuration(value);
  return durationMs === undefined || durationMs === 0 ? undefined : durationMs;
});

/** A duration in milliseconds, or `off` for none at all. */
export const durationOrOff = scalar(`${DURATION_EXAMPLES}, or off`, (value) => {
  if (value === "off" || value === "false") return "off" as const;
  return parseDuration(value) || undefined;
});

/** A size in bytes, at least `minBytes`. */
export function size(minBytes: number, allowed = SIZE_EXAMPLES) {
  return scalar(allowed, (value) => {
    const bytes = parseSize(value);
    return bytes === undefined || bytes < minBytes ? undefined : bytes;
  });
}

/** One of some words. */
export function choice<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, {
    error: words.length === 1 ? String(words[0]) : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
  });
}

/** An absolute http or https address, without a slash at its end (O-73: links must be clickable). */
export const httpUrl = scalar("an absolute address such as https://ci.example.org", (value) =>
  /^https?:\/\/[^\s?#]+$/.test(value) && URL.canParse(value) ? value.replace(/\/+$/, "") : undefined,
);

export const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a name of letters, digits and '_', as environment variables have");

/** Environment variables: names to text. */
export const envMapping = mapping(envName, anyText, "a mapping of names to text");
