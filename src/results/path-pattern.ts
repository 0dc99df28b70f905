/** Patterns of paths in a container: a star for a part of a name, two for any folders, a question mark for a character, braces for a choice. */
import { posix } from "node:path";

/** More alternatives than this are not meant: twenty braces in a row are a million patterns. */
const ALTERNATIVES_MAX = 100;
const PATTERN_LENGTH_MAX = 1_000;

export interface PathPattern {
  readonly written: string;
  /** The files or folders, absolute, in which all that it matches lies; none contains a wildcard. */
  readonly bases: readonly string[];
  /**
   * For an absolute path that it matches, the path below the base it lies under, "" for the base itself. A pattern without
   * wildcards matches also everything below it. A wildcard matches no name that begins with a dot, as in a shell.
   */
  match(path: string): string | undefined;
}

/**
 * The pattern as it is meant in a folder; an absolute one means the same in any. Matching takes time in proportion to the lengths
 * of path and pattern, whatever they hold: both may come from a pull request. (A pattern that is made into a regular expression,
 * as libraries do, takes exponentially long for the wrong pair.)
 * @returns `undefined` for a pattern that is too long or has too many alternatives.
 */
export function pathPattern(written: string, folder: string): PathPattern | undefined {
  if (written.length > PATTERN_LENGTH_MAX) return undefined;
  const paths = alternatives(written)?.map((path) => posix.resolve("/", folder, path));
  if (paths === undefined) return undefined;
  const branches = paths.map((path) => {
    const parts = path.split("/").filter((part) => part !== "");
    const wild = parts.findIndex(isWild);
    const fixed = wild === -1 ? parts : parts.slice(0, wild);
    return { base: `/${fixed.join("/")}`, wanted: parts.slice(fixed.length) };
  });
  return {
    written,
    bases: [...new Set(branches.map(({ base }) => base))],
    match(path) {
      for (const { base, wanted } of branches) {
        const below = pathBelow(path, base);
        if (below === undefined) continue;
        if (wanted.length === 0 || matchParts(wanted, below === "" ? [] : below.split("/"))) return below;
      }
      return undefined;
    },
  };
}

/** `b/c` for `/a/b/c` below `/a`, "" for `/a` itself, `undefined` for what lies elsewhere. */
export function pathBelow(path: string, base: string): string | undefined {
  if (path === base) return "";
  const start = base === "/" ? "/" : `${base}/`;
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}

function isWild(part: string): boolean {
  return /[*?]/.test(part);
}

/** `a{b,c}d` as `abd` and `acd`; braces nest. A brace without its partner is a character. */
function alternatives(written: string): string[] | undefined {
  const whole: string[] = [];
  const open = [written];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const brace = lastBrace(next);
    if (brace === undefined) whole.push(next);
    else open.push(...brace.choices.map((choice) => `${brace.before}${choice}${brace.after}`));
    if (whole.length + open.length > ALTERNATIVES_MAX) return undefined;
  }
  return whole.reverse();
}

/** An innermost pair of braces: the last that opens, with the first that closes behind it. */
function lastBrace(
  text: string,
): { readonly before: string; readonly choices: readonly string[]; readonly after: string } | undefined {
  for (let start = text.lastIndexOf("{"); start !== -1; start = start === 0 ? -1 : text.lastIndexOf("{", start - 1)) {
    const end = text.indexOf("}", start);
    if (end === -1) continue;
    const choices = text.slice(start + 1, end).split(",");
    return { before: text.slice(0, start), choices, after: text.slice(end + 1) };
  }
  return undefined;
}

/** Both by going on greedily and coming back to the last star alone, which is enough: earlier ones have nothing to gain. */
function matchParts(wanted: readonly string[], parts: readonly string[]): boolean {
  return matchSequence(wanted, parts, {
    isStar: (part) => part === "**",
    isOne: (pattern, part) =>
      !(isWild(pattern) && part.startsWith(".") && !pattern.startsWith(".")) && matchName(pattern, part),
    mayPass: (part) => !part.startsWith("."),
  });
}

function matchName(pattern: string, name: string): boolean {
  return matchSequence([...pattern], [...name], {
    isStar: (character) => character === "*",
    isOne: (wanted, character) => wanted === "?" || wanted === character,
    mayPass: () => true,
  });
}

function matchSequence(
  pattern: readonly string[],
  items: readonly string[],
  rules: {
    isStar(item: string): boolean;
    isOne(pattern: string, item: string): boolean;
    /** Whether a star may stand for this item. */
    mayPass(item: string): boolean;
  },
): boolean {
  let at = 0;
  let item = 0;
  let star = -1;
  let passed = 0;
  while (item < items.length) {
    const wanted = pattern[at];
    const given = items[item] ?? "";
    if (wanted !== undefined && rules.isStar(wanted)) {
      star = at;
      passed = item;
      at += 1;
    } else if (wanted !== undefined && rules.isOne(wanted, given)) {
      at += 1;
      item += 1;
    } else if (star !== -1 && rules.mayPass(items[passed] ?? "")) {
      passed += 1;
      item = passed;
      at = star + 1;
    } else return false;
  }
  return pattern.slice(at).every((rest) => rules.isStar(rest));
}
