/** Where the logs lie, and reading them: `<n>.log.gz` when the build is over, the pieces of it while it runs. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough, pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";

export const keptLog = (folder: string, number: number): string => join(folder, `${number}.log.gz`);
/** The pieces of a running build's log, in the order of reading: the head, then the segments of the tail that are left. */
export const logHead = (folder: string, number: number): string => join(folder, `${number}.log`);
export const logTail = (folder: string, number: number, segment: number): string =>
  join(folder, `${number}.tail-${segment}`);
export const logIndex = (folder: string, number: number): string => join(folder, `${number}.index`);

/** The paths of the pieces that exist, in order. */
export async function logPieces(folder: string, number: number): Promise<string[]> {
  const names: string[] = await readdir(folder).catch(() => [] /* no folder yet: no logs yet */);
  const segments = names
    .flatMap((name) => {
      const match = /^(\d+)\.tail-(\d+)$/.exec(name);
      return match !== null && Number(match[1]) === number ? [Number(match[2])] : [];
    })
    .sort((a, b) => a - b);
  const head = names.includes(`${number}.log`) ? [logHead(folder, number)] : [];
  return [...head, ...segments.map((segment) => logTail(folder, number, segment))];
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
  return pieces.length === 0 ? undefined : concatenate(pieces);
}

/** One stream of several files, one after the other, without holding more than one of them open. */
export function concatenate(paths: readonly string[], between: (index: number) => string = () => ""): Readable {
  const out = new PassThrough();
  const run = async (): Promise<void> => {
    for (const [index, path] of paths.entries()) {
      const gap = between(index);
      if (gap !== "") out.write(gap);
      for await (const chunk of createReadStream(path)) {
        if (out.destroyed) return;
        if (!out.write(chunk)) await new Promise((resolve) => out.once("drain", resolve).once("close", resolve));
      }
    }
    out.end();
  };
  run().catch((error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  return out;
}

/** A line of a log with its number, counted from 1 as the page does. */
export interface LogLine {
  readonly number: number;
  readonly text: string;
}

/** The last `count` lines that the pattern finds, or the last lines of all. Reads the log once, keeps `count` lines. */
export async function lastLines(log: Readable, count: number, pattern?: RegExp): Promise<LogLine[]> {
  const kept: LogLine[] = [];
  let number = 0;
  for await (const text of createInterface({ input: log, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (pattern !== undefined && !pattern.test(text)) continue;
    kept.push({ number, text });
    if (kept.length > count) kept.shift();
  }
  return kept;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
