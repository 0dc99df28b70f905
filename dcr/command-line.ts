/** From the words behind `dcr` to a verb that is run, and to an exit code. */
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { plainText } from "../src/builds/plain-text.ts";
import { ConfigError, describeError, UserError } from "../src/errors.ts";
import { isMissing } from "../src/missing.ts";
import { didYouMean, nearest } from "../src/nearest.ts";
import { VERSION } from "../src/package.ts";
import { type Application, parseApplications } from "./application.ts";
import { type Daemon, openDaemon } from "./daemon.ts";
import { isDomain } from "./gateways/domain.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { openGateway } from "./gateways/index.ts";
import { usage, usageOf } from "./help.ts";
import { COMMON, type CommandLine, parseCommandLine, UsageError } from "./options.ts";
import type { Surroundings } from "./session.ts";
import { type Cluster, parseSettings } from "./settings.ts";
import { VERBS } from "./verbs/index.ts";
import type { Verb } from "./verbs/verb.ts";

/** sysexits.h, and 128 + SIGINT. */
export const EXIT = { ok: 0, failed: 1, usage: 64, config: 78, interrupted: 130 } as const;

/** Runs one command line. Never throws; what it opened is closed. @returns the exit code. */
export async function dcr(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await run(parseCommandLine(argv), surroundings);
  } catch (error) {
    if (surroundings.signal.aborted) return EXIT.interrupted;
    // These two are whole sentences already; what stands behind them is a library's way to say the same.
    const isSentence = error instanceof ConfigError || error instanceof UsageError;
    surroundings.errors.write(`dcr: ${isSentence ? error.message : safe(describeError(error))}\n`);
    if (error instanceof UsageError) surroundings.errors.write(`"dcr --help" lists what there is.\n`);
    return error instanceof ConfigError ? EXIT.config : error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function run(line: CommandLine, surroundings: Surroundings): Promise<number> {
  const [file, verbName, domain, ...rest] = line.words;
  const { options } = line;
  if (options.version) {
    surroundings.output.write(`dcr ${VERSION}\n`);
    return EXIT.ok;
  }
  const asked = VERBS.find(({ name }) => name === verbName);
  if (options.help || file === undefined || file === "help") {
    const isHelp = options.help || file === "help";
    (isHelp ? surroundings.output : surroundings.errors).write(asked === undefined ? usage(VERBS) : usageOf(asked));
    return isHelp ? EXIT.ok : EXIT.usage;
  }
  const verb = findVerb(file, verbName);
  checkWords(verb, line, domain, rest);

  const applications = await readApplications(file, options.only, surroundings);
  const cluster = await readSettings(file, line, surroundings);
  if (verb.usesGateways && cluster.gateways.length === 0) {
    throw new UserError(`The cluster ${cluster.name} has no gateways: give it hipaches or traefiks in settings.yml.`);
  }
  const daemons: Daemon[] = [];
  const gateways: Gateway[] = [];
  try {
    for (const settings of cluster.daemons) daemons.push(await openDaemon(settings));
    if (verb.usesGateways) for (const settings of cluster.gateways) gateways.push(await openGateway(settings));
    const session = {
      ...surroundings,
      applications,
      cluster,
      daemons,
      gateways,
      domain: domain?.toLowerCase(),
      options,
    };
    return (await verb.run(session)) ? EXIT.ok : EXIT.failed;
  } finally {
    for (const opened of [...gateways, ...daemons]) await opened[Symbol.asyncDispose]();
  }
}

function findVerb(file: string, name: string | undefined): Verb {
  const names = VERBS.map((verb) => verb.name);
  if (name === undefined) {
    const isVerb = names.includes(file);
    throw new UsageError(
      isVerb ? `The file comes first: dcr FILE.yml ${file}.` : `A verb is missing: ${names.join(", ")}.`,
    );
  }
  const verb = VERBS.find((each) => each.name === name);
  if (verb !== undefined) return verb;
  if (names.includes(file)) throw new UsageError(`The file comes first: dcr ${name} ${file}.`);
  const hint = didYouMean(nearest(name, names, 2));
  throw new UsageError(`There is no verb "${safe(name)}". ${hint === "" ? `There are ${names.join(", ")}.` : hint}`);
}

function checkWords(verb: Verb, line: CommandLine, domain: string | undefined, rest: readonly string[]): void {
  const [extra] = verb.takesDomain === "never" && domain !== undefined ? [domain] : rest;
  if (extra !== undefined)
    throw new UsageError(`"${safe(extra)}" is too much: dcr FILE.yml ${verb.name} does not take it.`);
  if (verb.takesDomain === "required" && domain === undefined) throw new UsageError(`${verb.name} takes a domain.`);
  if (domain !== undefined && !isDomain(domain)) {
    throw new UsageError(`"${safe(domain)}" is no domain: letters, digits, dots and dashes.`);
  }
  const wrong = line.given.find((name) => !COMMON.includes(name) && !verb.options.includes(name));
  if (wrong !== undefined) throw new UsageError(`${verb.name} does not take --${wrong}.`);
}

async function readApplications(
  file: string,
  only: readonly string[],
  { cwd }: Surroundings,
): Promise<readonly Application[]> {
  const path = resolve(cwd, file);
  const applications = parseApplications(await read(path, "The application file"), shown(path, cwd));
  const names = applications.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const hint = didYouMean(nearest(unknown, names, 1));
    const all = `There are ${names.join(", ")}.`;
    throw new UsageError(`${shown(path, cwd)} has no application "${safe(unknown)}". ${hint === "" ? all : hint}`);
  }
  return only.length === 0 ? applications : applications.filter(({ name }) => only.includes(name));
}

/** `settings.yml` of the current folder, else the one beside the application file (O-140). */
async function readSettings(file: string, { options }: CommandLine, surroundings: Surroundings): Promise<Cluster> {
  const { cwd, environment } = surroundings;
  const candidates =
    options.settings === undefined
      ? [join(cwd, "settings.yml"), join(dirname(resolve(cwd, file)), "settings.yml")]
      : [resolve(cwd, options.settings)];
  for (const path of candidates) {
    const text = await readIfThere(path);
    if (text === undefined) continue;
    const { cluster } = options;
    return parseSettings(text, {
      file: shown(path, cwd),
      path,
      environment,
      ...(cluster === undefined ? {} : { cluster }),
    });
  }
  throw new ConfigError(
    "The settings are missing:",
    [...new Set(candidates)].map((path) => `${shown(path, cwd)}: there is no such file`),
  );
}

async function read(path: string, what: string): Promise<string> {
  const text = await readIfThere(path);
  if (text !== undefined) return text;
  throw new ConfigError(`${what} cannot be read:`, [`${path}: there is no such file`]);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError("A file cannot be read:", [`${path}: ${reason}`], { cause: error });
  }
}

function shown(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}

function safe(text: string): string {
  return plainText(text).slice(0, 2_000);
}
