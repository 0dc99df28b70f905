/** Where the logs lie, and reading them: `<n>.log.gz` when the build is over, the pieces of it while it runs. */
import { createReadStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createContext, Script } from "node:vm";
import { createGunzip } from "node:zlib";
import { describeError, UserError } from "../errors.ts";
import { ifMissing } from "../missing.ts";

export const logsFolder = ({ dataDir }: { readonly dataDir: string }): string => join(dataDir, "docker-ci", "logs");
export const keptLog = (folder: string, number: number): string => join(folder, `${number}.log.gz`);
/** The pieces of a running build's log, in the order of reading: the head, then the segments of the tail that are left. */
export const logHead = (folder: string, number: number): string => join(folder, `${number}.log`);
export const logTail = (folder: string, number: number, segment: number): string =>
  join(folder, `${number}.tail-${segment}`);
export const logIndex = (folder: string, number: number): string => join(folder, `${number}.index`);

/** The paths of the pieces that exist, in order. */
export async function logPieces(folder: string, number: number): Promise<string[]> {
  const names: string[] = await readdir(folder).catch(ifMissing([] /* no folder yet: no logs yet */));
  const segments = names
    .flatMap((name) => {
      const match = /^(\d+)\.tail-(\d+)$/.exec(name);
      return match !== null && Number(match[1]) === number ? [Number(match[2])] : [];
    })
    .sort((a, b) => a - b);
  const head = names.includes(`${number}.log`) ? [logHead(folder, number)] : [];
  return [...head, ...segments.map((segment) => logTail(folder, number, segment))];
}

/** Of a log that is not gone on with. */
export async function removePieces(folder: string, number: number): Promise<void> {
  for (const file of [...(await logPieces(folder, number)), logIndex(folder, number)]) await rm(file, { force: true });
}

/** Numbers of the builds that have pieces of a log here. */
export async function numbersWithPieces(folder: string): Promise<string[]> {
  const names: string[] = await readdir(folder).catch(ifMissing([] /* no logs yet */));
  return [...new Set(names.flatMap((name) => /^(\d+)\.(?:log|index|tail-\d+)$/.exec(name)?.[1] ?? []))];
}

/** The whole log as a stream of bytes; undefined when this machine has none. */
export async function openLog(folder: string, number: number): Promise<Readable | undefined> {
  const kept = keptLog(folder, number);
  if (await exists(kept)) {
    return pipeline(createReadStream(kept), createGunzip(), () => {
      // The reader of the returned stream gets the error.
    });
  }
  const pieces = await logPieces(folder, number);
  if (pieces.length === 0) return undefined;
  const isCut = pieces[1] !== undefined && pieces[1] !== logTail(folder, number, 1);
  return concatenate(pieces, (index) => (index === 1 && isCut ? "\n… log left out here: it passed the limit …\n" : ""));
}

/** One stream of several files, one after the other, without holding more than one of them open. */
export function concatenate(paths: readonly string[], between: (index: number) => string = () => ""): Readable {
  const read = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for (const [index, path] of paths.entries()) {
      yield Buffer.from(between(index));
      yield* createReadStream(path);
    }
  };
  return Readable.from(read(), { objectMode: false });
}

/** A line of a log with its number, counted from 1 as the page does. */
export interface LogLine {
  readonly number: number;
  readonly text: string;
}

/** A longer line is cut here, so that a log without newlines needs no more memory than another. */
const LINE_MAX = 16 * 1024;
/** A pattern may take this long at a stretch, during which nobody else is answered, and in all. */
const MATCH_MS = 250;
const MATCH_ALL_MS = 5_000;

/**
 * The last `count` lines that the pattern finds, or the last lines of all. Reads the log once, keeps `count` lines.
 * @throws UserError for a pattern that takes too long, as `/(a+)+$/` may.
 */
export async function lastLines(log: Readable, count: number, pattern?: RegExp): Promise<LogLine[]> {
  const find = pattern === undefined ? (lines: readonly LogLine[]) => lines : matcher(pattern);
  let kept: LogLine[] = [];
  for await (const lines of numberedLines(log)) kept = [...kept, ...find(lines)].slice(-count);
  return kept;
}

/** The lines of a log as they come, some at a time. */
export async function* numberedLines(log: AsyncIterable<Buffer>): AsyncGenerator<LogLine[], void, undefined> {
  const decoder = new StringDecoder("utf8");
  let number = 0;
  let rest = "";
  const line = (text: string): LogLine => {
    number += 1;
    return { number, text: (text.endsWith("\r") ? text.slice(0, -1) : text).slice(0, LINE_MAX) };
  };
  for await (const chunk of log) {
    const texts = (rest + decoder.write(chunk)).split("\n");
    rest = (texts.pop() ?? "").slice(0, LINE_MAX);
    if (texts.length > 0) yield texts.map(line);
  }
  if (rest !== "") yield [line(rest)];
}

/** What a pattern finds. It comes from anyone in a chat, so it runs under a time limit, which only a vm script can have. */
function matcher(pattern: RegExp): (lines: readonly LogLine[]) => LogLine[] {
  let given: readonly LogLine[] = [];
  let found: LogLine[] = [];
  let leftMs = MATCH_ALL_MS;
  const context = createContext({
    match: () => {
      found = given.filter(({ text }) => pattern.test(text));
    },
  });
  const script = new Script("match()");
  return (lines) => {
    given = lines;
    const before = performance.now();
    try {
      script.runInContext(context, { timeout: Math.max(1, Math.min(MATCH_MS, Math.ceil(leftMs))) });
    } catch (error) {
      if (!/timed out/.test(describeError(error))) throw error;
      throw new UserError(`/${pattern.source}/ takes too long to look for; try a simpler pattern.`, { cause: error });
    }
    leftMs -= performance.now() - before;
    return found;
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
