/** What stands behind `dcr`: a file, a verb, a domain and options. */
import { parseArgs } from "node:util";
import { didYouMean, nearest } from "../src/nearest.ts";
import { parseDuration } from "../src/units.ts";

/** The command line is not understood; the message is a whole sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const ALL = {
  settings: { type: "string" },
  cluster: { type: "string" },
  only: { type: "string", multiple: true },
  yes: { type: "boolean", short: "y" },
  json: { type: "boolean" },
  follow: { type: "boolean", short: "f" },
  tail: { type: "string" },
  recreate: { type: "boolean" },
  watch: { type: "string" },
  force: { type: "boolean" },
  image: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

export type OptionName = keyof typeof ALL;
/** Understood by every verb. */
export const COMMON: readonly OptionName[] = ["settings", "cluster", "only", "help", "version"];

export interface Options {
  readonly settings: string | undefined;
  readonly cluster: string | undefined;
  readonly only: readonly string[];
  readonly yes: boolean;
  readonly json: boolean;
  readonly follow: boolean;
  readonly tail: number | undefined;
  readonly recreate: boolean;
  readonly watchMs: number;
  readonly force: boolean;
  readonly image: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

/** How long a switch is watched before it is left alone. */
const WATCH_DEFAULT_MS = 5_000;

export interface CommandLine {
  readonly words: readonly string[];
  readonly options: Options;
  /** Those that were written. */
  readonly given: readonly OptionName[];
}

/** @throws UsageError */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { values, positionals } = parse(argv);
  return {
    words: positionals,
    given: Object.keys(ALL).filter((name): name is OptionName => Object.hasOwn(values, name)),
    options: {
      settings: values.settings,
      cluster: values.cluster,
      only: values.only ?? [],
      yes: values.yes ?? false,
      json: values.json ?? false,
      follow: values.follow ?? false,
      tail: values.tail === undefined ? undefined : count("--tail", values.tail),
      recreate: values.recreate ?? false,
      watchMs: values.watch === undefined ? WATCH_DEFAULT_MS : time("--watch", values.watch),
      force: values.force ?? false,
      image: values.image,
      help: values.help ?? false,
      version: values.version ?? false,
    },
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: ALL, allowPositionals: true, strict: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /Unknown option '(-{1,2})([^']*)'/.exec(message);
    if (unknown === null) throw new UsageError(`${message.split(". ")[0]}.`, { cause: error });
    const hint = didYouMean(nearest(unknown[2] ?? "", Object.keys(ALL), 1), (name) => `--${name}`);
    throw new UsageError(`There is no option ${unknown[1]}${unknown[2]}.${hint === "" ? "" : ` ${hint}`}`, {
      cause: error,
    });
  }
}

function count(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a number, found "${text}".`);
}

function time(option: string, text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return durationMs;
  throw new UsageError(`${option} takes a time such as 5s or 1m, found "${text}".`);
}
