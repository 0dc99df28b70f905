/**
 * Writing an archive as a stream: memory does not grow with what there is.
 *
 * The order is what makes it whole. Records first, of one moment (snapshot.ts), then the files: docker-ci writes a build's log and
 * results before the record that names them, so every file that a record names was there before its moment, and is still there when
 * files are read, or was taken by retention, which a restored docker-ci would do as well. Files may be newer than the records: what
 * a build has written since, which no record names yet. The other way round a record could name a log that is not in the archive.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import type { Config } from "../config.ts";
import { describeError, RuntimeError } from "../errors.ts";
import { isMissing } from "../missing.ts";
import { VERSION } from "../package.ts";
import { configWithoutSecrets } from "./config-copy.ts";
import { encrypt } from "./encryption.ts";
import { type FoundFile, isNoNews, walk } from "./files.ts";
import {
  CONFIG_ENTRY,
  DATA_PREFIX,
  FORMAT,
  HEADER_ENTRY,
  type Header,
  MANIFEST_ENTRY,
  Manifest,
  RECORDS_ENTRY,
} from "./format.ts";
import { gzipMembers } from "./members.ts";
import type { Snapshot } from "./snapshot.ts";

/** Smaller files are read whole, some ahead of their turn. */
const WHOLE_BYTES = 256 * 1024;
const AHEAD = 6;

export interface ArchiveSource {
  readonly config: Pick<Config, "dataDir" | "backup" | "file">;
  readonly instance: string;
  readonly madeAt: Date;
  readonly snapshot: Snapshot;
}

export interface Written {
  /** Of the file as it lies there. */
  readonly sha256: string;
  readonly bytes: number;
  readonly manifest: Manifest;
}

export interface ArchiveOptions {
  readonly signal: AbortSignal;
  /** Told now and then. */
  readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void;
}

/** @param file is made; half of it is left when this throws. */
export async function writeArchive(source: ArchiveSource, file: string, options: ArchiveOptions): Promise<Written> {
  const { signal } = options;
  const passphrase = source.config.backup?.passphrase?.reveal();
  const tape = openTape();
  const { tar } = tape;
  let manifest: Manifest | undefined;
  const filling = fill(tape, source, options).then(
    (done) => {
      manifest = done;
    },
    (error: unknown) => {
      tar.destroy(error instanceof Error ? error : new Error(describeError(error)));
    },
  );
  const hash = createHash("sha256");
  let bytes = 0;
  const compressed = gzipMembers(bytesOf(tar));
  const count = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  const out = createWriteStream(file, { mode: 0o600, flush: true });
  try {
    const content = passphrase === undefined ? compressed : encrypt(compressed, passphrase);
    await pipeline(Readable.from(count(content), { objectMode: true, highWaterMark: 1 }), out, { signal });
  } catch (error) {
    tar.destroy();
    await filling;
    signal.throwIfAborted();
    throw new RuntimeError(`the archive could not be written (${plainly(error)})`, { cause: error });
  }
  await filling;
  if (manifest === undefined) throw new RuntimeError("the archive ended before its manifest");
  return { sha256: hash.digest("hex"), bytes, manifest };
}

async function* bytesOf(tar: Pack): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of tar) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a tar is made of bytes");
    yield chunk;
  }
}

/** `the disk is full` is what a person reads in it. */
function plainly(error: unknown): string {
  return error instanceof Error && "code" in error && error.code === "ENOSPC"
    ? "the disk is full"
    : describeError(error);
}

async function fill(tape: Tape, source: ArchiveSource, { signal, onProgress }: ArchiveOptions): Promise<Manifest> {
  const { config, snapshot, madeAt, instance } = source;
  const files: Manifest["files"] = [];
  const content = createHash("sha256").update(snapshot.content);
  let bytes = 0;
  const note = (path: string, sha256: string, size: number, isNews: boolean): void => {
    files.push({ path, bytes: size, sha256 });
    bytes += size;
    if (isNews) content.update(`${path}\0${sha256}\n`);
    onProgress?.({ files: files.length, bytes });
  };
  const whole = async (path: string, buffer: Buffer, isNews: boolean): Promise<void> => {
    await addWhole(tape, path, buffer);
    note(path, sha256Of(buffer), buffer.length, isNews);
  };

  const header: Header = { format: FORMAT, version: VERSION, instance, madeAt: madeAt.toISOString() };
  await whole(HEADER_ENTRY, Buffer.from(`${JSON.stringify(header)}\n`), false);
  const records = await addStreamed(tape, RECORDS_ENTRY, snapshot.file);
  // What lasts of the records is in their own hash.
  note(RECORDS_ENTRY, records.sha256, records.bytes, false);
  const written = await configWithoutSecrets(config);
  if (written !== undefined) await whole(CONFIG_ENTRY, Buffer.from(written), true);

  const found = walk(config.dataDir, { artifacts: config.backup?.artifacts === true });
  for await (const { path, read } of ahead(config.dataDir, found)) {
    signal.throwIfAborted();
    const entry = DATA_PREFIX + path;
    const isNews = !isNoNews(path);
    // It went between the look into its folder and the reading.
    if (read === undefined) continue;
    if ("link" in read) {
      await added(tape, { name: entry, type: "symlink", linkname: read.link });
      files.push({ path: entry, link: read.link });
      content.update(`${entry}\0-> ${read.link}\n`);
    } else if ("content" in read) {
      await whole(entry, read.content, isNews);
    } else {
      const large = await addStreamed(tape, entry, read.file);
      note(entry, large.sha256, large.bytes, isNews);
    }
  }
  const manifest = Manifest.parse({ records: snapshot.summary, content: content.digest("hex"), files });
  await addWhole(tape, MANIFEST_ENTRY, Buffer.from(JSON.stringify(manifest)));
  tape.tar.finalize();
  return manifest;
}

type Read = { readonly content: Buffer } | { readonly file: string } | { readonly link: string } | undefined;

/** Reads the next few while the first is written; order stays. */
async function* ahead(
  folder: string,
  found: AsyncGenerator<FoundFile>,
): AsyncGenerator<{ path: string; read: Read }, void, undefined> {
  const waiting: { path: string; read: Promise<Read> }[] = [];
  for await (const file of found) {
    const read = readIfSmall(join(folder, file.path), file.kind);
    // Awaited in its turn.
    read.catch(() => undefined);
    waiting.push({ path: file.path, read });
    if (waiting.length > AHEAD) yield* first(waiting);
  }
  while (waiting.length > 0) yield* first(waiting);
}

async function* first(
  waiting: { path: string; read: Promise<Read> }[],
): AsyncGenerator<{ path: string; read: Read }, void, undefined> {
  const next = waiting.shift();
  if (next !== undefined) yield { path: next.path, read: await next.read };
}

async function readIfSmall(path: string, kind: FoundFile["kind"]): Promise<Read> {
  try {
    if (kind === "link") return { link: await readlink(path) };
    await using file = await open(path);
    if ((await file.stat()).size > WHOLE_BYTES) return { file: path };
    return { content: await file.readFile() };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** No times and no owners: they say nothing, and the same files shall give the same archive. */
const PLAIN = { mode: 0o600, mtime: new Date(0), uid: 0, gid: 0 } as const;

/** A tar as it is written; once nobody reads it any more, `gone` aborts, as its own callbacks then never come. */
interface Tape {
  readonly tar: Pack;
  readonly gone: AbortSignal;
}

function openTape(): Tape {
  const tar = pack();
  const gone = new AbortController();
  tar.once("close", () => gone.abort(new Error("nobody takes what is written")));
  return { tar, gone: gone.signal };
}

function added(
  { tar, gone }: Tape,
  header: { name: string; type?: "symlink"; linkname?: string },
  content?: Buffer,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(gone.reason);
    gone.addEventListener("abort", fail, { once: true });
    const done = (error?: Error | null): void => {
      gone.removeEventListener("abort", fail);
      if (error) reject(error);
      else resolve();
    };
    if (gone.aborted) fail();
    else if (content === undefined) tar.entry({ ...PLAIN, ...header }, done);
    else tar.entry({ ...PLAIN, ...header }, content, done);
  });
}

function addWhole(tape: Tape, name: string, content: Buffer): Promise<void> {
  return added(tape, { name }, content);
}

/** A file that grows meanwhile goes in as long as it was, one that is cut is filled with zeros: it belongs to a build at work. */
async function addStreamed(
  { tar, gone }: Tape,
  name: string,
  path: string,
): Promise<{ sha256: string; bytes: number }> {
  const { size } = await statOf(path);
  const hash = createHash("sha256");
  const exactly = async function* (): AsyncGenerator<Buffer, void, undefined> {
    let left = size;
    if (left > 0) {
      const content = createReadStream(path, { end: size - 1, highWaterMark: WHOLE_BYTES });
      for await (const chunk of content) {
        if (!Buffer.isBuffer(chunk)) throw new TypeError("a file is read as bytes");
        left -= chunk.length;
        hash.update(chunk);
        yield chunk;
      }
    }
    for (; left > 0; left -= Math.min(left, WHOLE_BYTES)) {
      const zeros = Buffer.alloc(Math.min(left, WHOLE_BYTES));
      hash.update(zeros);
      yield zeros;
    }
  };
  gone.throwIfAborted();
  const entry = tar.entry({ ...PLAIN, name, size });
  for await (const chunk of exactly()) if (!entry.write(chunk)) await once(entry, "drain", { signal: gone });
  const ended = once(entry, "finish", { signal: gone });
  entry.end(() => undefined /* awaited beside whoever may be gone */);
  await ended;
  return { sha256: hash.digest("hex"), bytes: size };
}

async function statOf(path: string): Promise<{ size: number }> {
  await using file = await open(path);
  return await file.stat();
}

function sha256Of(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
