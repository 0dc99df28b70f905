/** The files of a revision, as one tar on disk: looked into for the pipeline, then handed to the engine as often as it takes. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { PassThrough, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { describeError, RuntimeError } from "../errors.ts";

/** A pipeline file or Dockerfile larger than this is not read: something else was put in its place. */
const READ_MAX_BYTES = 1024 * 1024;

export interface Tree {
  readonly tarFile: string;
  /** The top's files that were asked for when the tree was stored, by path; missing ones are not in it. */
  readonly top: ReadonlyMap<string, string>;
  /** The paths of all its files. */
  readonly files: ReadonlySet<string>;
}

/**
 * Stores a tar stream in a file and keeps the text of the named files on the way by.
 * @throws RuntimeError when the stream or the disk fails, or the signal's reason; nothing is left then.
 */
export async function storeTree(
  source: Readable,
  tarFile: string,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<Tree> {
  source.on("error", () => {
    // One that fails before anything reads it must not end the process; the pipeline below finds the error.
  });
  await mkdir(dirname(tarFile), { recursive: true });
  const top = new Map<string, string>();
  const files = new Set<string>();
  const extract = tar.extract();
  const reading = collect(extract, wanted, top, files);
  const tee = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (extract.write(chunk)) done(null, chunk);
      else extract.once("drain", () => done(null, chunk));
    },
    flush(done) {
      extract.end(Buffer.alloc(0));
      done();
    },
  });
  const broken = new AbortController();
  const both = AbortSignal.any([signal, broken.signal]);
  const writing = pipeline(source, tee, createWriteStream(`${tarFile}.part`), { signal: both });
  try {
    await Promise.all([writing, reading]);
  } catch (error) {
    // What one side failed with keeps the other waiting: both are ended before anybody is told.
    broken.abort();
    extract.destroy();
    await Promise.allSettled([writing, reading]);
    await rm(`${tarFile}.part`, { force: true });
    signal.throwIfAborted();
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError(`the checkout could not be stored (${describeError(error)})`, { cause: error });
  }
  await rename(`${tarFile}.part`, tarFile);
  return { tarFile, top, files };
}

/** A file of the tree as text; undefined when there is none, or when it is too large to be meant. */
export async function readFromTree(tarFile: string, path: string): Promise<string | undefined> {
  const found = new Map<string, string>();
  const extract = tar.extract();
  const reading = collect(extract, [path], found);
  await Promise.all([pipeline(createReadStream(tarFile), extract), reading]);
  return found.get(path);
}

async function collect(
  extract: tar.Extract,
  wanted: readonly string[],
  found: Map<string, string>,
  files?: Set<string>,
): Promise<void> {
  for await (const entry of extract) {
    const name = normalPath(entry.header.name);
    if (entry.header.type === "file") files?.add(name);
    const read = wanted.includes(name) && entry.header.type === "file" && (entry.header.size ?? 0) <= READ_MAX_BYTES;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) if (read && Buffer.isBuffer(chunk)) chunks.push(chunk);
    if (read) found.set(name, Buffer.concat(chunks).toString("utf8"));
  }
}

/** `./a/b/` as `a/b`. */
export function normalPath(path: string): string {
  return path.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
}

/** How a tar is changed on its way: which entries stay, under which name, and which files get another text. */
export interface Rewrite {
  rename(path: string): string | undefined;
  readonly replace: ReadonlyMap<string, string>;
}

/** The stored tar as a new one, changed entry by entry; memory does not grow with it. */
export function rewriteTar(tarFile: string, { rename: renamed, replace }: Rewrite): Readable {
  const extract = tar.extract();
  const pack = tar.pack();
  const run = async (): Promise<void> => {
    for await (const entry of extract) {
      const name = renamed(normalPath(entry.header.name));
      if (name === undefined || name === "") {
        entry.resume();
        continue;
      }
      // Its extended fields hold the name as it was, and would win over the new one; what is needed of them is made again.
      const { pax: _, ...header } = entry.header;
      const text = replace.get(name);
      if (text !== undefined) {
        entry.resume();
        pack.entry({ ...header, name, size: Buffer.byteLength(text) }, text);
        continue;
      }
      const target = pack.entry({ ...header, name });
      await pipeline(entry, target);
    }
    pack.finalize();
  };
  const out = new PassThrough();
  const fail = (error: unknown): void => {
    out.destroy(new RuntimeError("the checkout could not be packed again", { cause: error }));
  };
  pipeline(createReadStream(tarFile), extract).catch(fail);
  pipeline(pack, out).catch(fail);
  run().catch(fail);
  return out;
}
