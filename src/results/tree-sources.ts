/** The sources of a revision, read from its tar as they are needed. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { normalPath } from "../pipeline/tree.ts";

/** Where binary files show that they are: Git looks as far. */
const BINARY_LOOK_BYTES = 8_000;

/** The paths of all its files. @throws what the disk or a damaged tar fails with. */
export async function treeFiles(tarFile: string): Promise<ReadonlySet<string>> {
  const files = new Set<string>();
  for await (const entry of entriesOf(tarFile)) {
    if (entry.header.type === "file") files.add(normalPath(entry.header.name));
    entry.resume();
  }
  return files;
}

/**
 * Gives the text of each wanted file, one after the other; binary and larger ones are left out.
 * @throws what `take` throws, the signal's reason, and what the disk or a damaged tar fails with.
 */
export async function readSources(
  tarFile: string,
  { wanted, maxBytes, signal }: { wanted(path: string): boolean; maxBytes: number; signal: AbortSignal },
  take: (path: string, text: string) => Promise<void>,
): Promise<void> {
  for await (const entry of entriesOf(tarFile)) {
    signal.throwIfAborted();
    const path = normalPath(entry.header.name);
    if (entry.header.type !== "file" || (entry.header.size ?? 0) > maxBytes || !wanted(path)) {
      entry.resume();
      continue;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (!bytes.subarray(0, BINARY_LOOK_BYTES).includes(0)) await take(path, bytes.toString("utf8"));
  }
}

/** Each has to be read, or resumed, before the next one comes. */
async function* entriesOf(tarFile: string) {
  const extract = tar.extract();
  const feeding = pipeline(createReadStream(tarFile), extract);
  // What it fails with ends the entries too, or is thrown behind them.
  feeding.catch(() => undefined);
  yield* extract;
  await feeding;
}
