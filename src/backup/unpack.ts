/** Reading an archive into a folder, with every hash compared: what was cut or changed is refused. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { describeError, RuntimeError } from "../errors.ts";
import { decryptIfNeeded } from "./encryption.ts";
import { FORMAT, HEADER_ENTRY, Header, MANIFEST_ENTRY, Manifest } from "./format.ts";
import { checkSeal } from "./members.ts";

const WHOLE_BYTES = 256 * 1024;

export interface Unpacked {
  readonly header: Header;
  readonly manifest: Manifest;
}

export interface UnpackOptions {
  readonly passphrase: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void;
}

/**
 * @param folder an empty one. @throws RuntimeError with a phrase for what is wrong with it (`it was changed since it was made`):
 * cut, changed, of a newer version, or no backup at all. What was unpacked until then is left in the folder.
 */
export async function unpack(
  source: AsyncIterable<Uint8Array>,
  folder: string,
  options: UnpackOptions,
): Promise<Unpacked> {
  const { passphrase, signal } = options;
  const faults: unknown[] = [];
  // What the end lacks is told behind what the beginning says: that of a newer version may be sealed otherwise.
  const plain = endingQuietly(checkSeal(decryptIfNeeded(source, passphrase)), (fault) => faults.push(fault));
  const tar = extract();
  const feeding = pipeline(
    Readable.from(plain, { objectMode: true, highWaterMark: 1 }),
    createGunzip({ chunkSize: 64 * 1024, finishFlush: constants.Z_SYNC_FLUSH }),
    tar,
    {
      signal,
    },
  );
  // Awaited below, after what is read of it.
  feeding.catch(() => undefined);
  let read: Unpacked | undefined;
  try {
    read = await readEntries(tar, folder, options);
  } catch (error) {
    faults.push(error);
    tar.destroy();
  }
  await feeding.catch((error: unknown) => faults.push(error));
  signal.throwIfAborted();
  if (faults.length > 0) throw worst(faults);
  if (read === undefined) throw new RuntimeError("it is not a backup of docker-ci", { retryable: false });
  return read;
}

/** Ends where it fails, and tells of it. */
async function* endingQuietly<T>(
  source: AsyncIterable<T>,
  told: (fault: unknown) => void,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    told(error);
  }
}

/** Whatever else is wrong with it: this version cannot tell. */
class NewerFormatError extends RuntimeError {}

/** Of what failed together, what the rest came of: what was seen and said, then the disk's faults, which are not the archive's. */
function worst(faults: readonly unknown[]): RuntimeError {
  const said = faults.filter((fault) => fault instanceof RuntimeError);
  const known = said.find((fault) => fault instanceof NewerFormatError) ?? said[0];
  if (known !== undefined) return known;
  for (const cause of faults) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (!/^E[A-Z]+$/.test(code)) continue;
    const reason = code === "ENOSPC" ? "the disk is full" : describeError(cause);
    return new RuntimeError(`it could not be unpacked: ${reason}`, { cause });
  }
  return new RuntimeError("it is not a whole backup of docker-ci", { cause: faults[0], retryable: false });
}

async function readEntries(
  tar: ReturnType<typeof extract>,
  folder: string,
  { signal, onProgress }: UnpackOptions,
): Promise<Unpacked> {
  let header: Header | undefined;
  let manifest: Manifest | undefined;
  const found: Manifest["files"] = [];
  const made = new Set<string>();
  let bytes = 0;
  for await (const entry of tar) {
    signal.throwIfAborted();
    const { name, size = 0, type, linkname } = entry.header;
    if (manifest !== undefined) throw changed();
    if (header === undefined && name !== HEADER_ENTRY) {
      throw new RuntimeError("it is not a backup of docker-ci", { retryable: false });
    }
    if (name === MANIFEST_ENTRY) {
      manifest = Manifest.parse(parse(await buffer(entry)));
      continue;
    }
    const path = join(folder, safe(name));
    const parent = dirname(path);
    if (!made.has(parent)) await mkdir(parent, { recursive: true });
    made.add(parent);
    if (type === "symlink") {
      found.push({ path: name, link: linkname ?? "" });
      entry.resume();
      continue;
    }
    const hash = createHash("sha256");
    if (size <= WHOLE_BYTES) {
      const content = await buffer(entry);
      hash.update(content);
      await writeFile(path, content);
      if (name === HEADER_ENTRY) header = readHeader(content);
    } else {
      const hashed = async function* (): AsyncGenerator<Buffer, void, undefined> {
        for await (const chunk of entry) {
          if (!Buffer.isBuffer(chunk)) throw new TypeError("a tar is read as bytes");
          hash.update(chunk);
          yield chunk;
        }
      };
      await pipeline(Readable.from(hashed(), { objectMode: true, highWaterMark: 4 }), createWriteStream(path), {
        signal,
      });
    }
    found.push({ path: name, bytes: size, sha256: hash.digest("hex") });
    bytes += size;
    onProgress?.({ files: found.length, bytes });
  }
  if (header === undefined || manifest === undefined) {
    throw new RuntimeError("its end is missing", { retryable: false });
  }
  if (JSON.stringify(found) !== JSON.stringify(manifest.files)) throw changed();
  // Last, so that nothing was written through one.
  for (const file of found) if ("link" in file) await symlink(file.link, join(folder, safe(file.path)));
  return { header, manifest };
}

/** Refused at its first entry, before the rest, which may have another shape. */
function readHeader(content: Buffer): Header {
  const header = Header.parse(parse(content));
  if (header.format > FORMAT) {
    throw new NewerFormatError(
      `it was made by docker-ci ${header.version}, which is newer than this one: restore it with that version`,
      { retryable: false },
    );
  }
  return header;
}

function parse(content: Buffer): unknown {
  return JSON.parse(content.toString("utf8"));
}

/** A path that stays in the folder. */
function safe(name: string): string {
  const parts = name.split("/");
  if (
    name.includes("\0") ||
    name.startsWith("/") ||
    parts.some((part) => part === "" || part === "." || part === "..")
  ) {
    throw changed();
  }
  return name;
}

function changed(): RuntimeError {
  return new RuntimeError("it was changed since it was made", { retryable: false });
}
