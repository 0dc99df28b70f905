/**
 * Compression on several cores: gzip members of 1 MiB each, made beside each other and put one behind the other, which is a gzip
 * file like any other (RFC 1952, 2.2). The last member is empty but for a comment with the SHA-256 of all before it, so that one
 * changed byte anywhere, or a missing end, is seen; gzip and tar pass over it.
 */
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { deflateRawSync, gzip } from "node:zlib";
import { RuntimeError } from "../errors.ts";

const MEMBER_BYTES = 1024 * 1024;
/** What cannot be compressed becomes a little longer. */
const OUT_BYTES = MEMBER_BYTES + 16 * 1024;
/** What tells whether more is to be gained: logs and packages are compressed already. */
const SAMPLE_BYTES = 8 * 1024;
const SQUEEZES = 0.97;
/** Node's pool has four threads, which also read files and look names up: some stay free. */
const AT_ONCE = Math.min(3, availableParallelism());

const compress = promisify(gzip);

/** As it comes, compressed; at most a few MiB are held. Ends with the seal. */
export async function* gzipMembers(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash("sha256");
  const underway: Promise<Buffer>[] = [];
  const spare: Buffer[] = [];
  const begin = (buffer: Buffer, length: number): void => {
    const member = compressOne(buffer.subarray(0, length)).finally(() => spare.push(buffer));
    // Awaited in its turn; one that fails before that is nobody's stray.
    member.catch(() => undefined);
    underway.push(member);
  };
  const take = async (): Promise<Buffer> => {
    const member = (await underway.shift()) ?? Buffer.alloc(0);
    hash.update(member);
    return member;
  };

  let buffer: Buffer = Buffer.allocUnsafe(MEMBER_BYTES);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + MEMBER_BYTES - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < MEMBER_BYTES) continue;
      begin(buffer, filled);
      if (underway.length > AT_ONCE) yield await take();
      buffer = spare.pop() ?? Buffer.allocUnsafe(MEMBER_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) begin(buffer, filled);
  while (underway.length > 0) yield await take();
  yield seal(hash.digest("hex"));
}

function compressOne(content: Buffer): Promise<Buffer> {
  const sample = content.subarray(0, SAMPLE_BYTES);
  const level = deflateRawSync(sample, { level: 1 }).length > SQUEEZES * sample.length ? 0 : 6;
  // In one piece: Node's own pieces of 16 KiB are put together with a second copy of it all.
  return compress(content, { level, chunkSize: OUT_BYTES });
}

function seal(sha256: string): Buffer {
  return Buffer.concat([
    // Deflated, with a comment, of no time and no system.
    Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 255]),
    Buffer.from(`docker-ci backup, sha256 ${sha256}\0`, "latin1"),
    // Nothing, and the checksum and the length of nothing.
    Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);
}

const SEAL_BYTES = seal("0".repeat(64)).length;

/** Passes it on as it comes. @throws RuntimeError at the end when the seal is missing or of something else. */
export async function* checkSeal(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash("sha256");
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    if (chunk.length < SEAL_BYTES) {
      tail = Buffer.concat([tail, chunk]);
    } else {
      const [before, bytes] = [tail, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)];
      tail = Buffer.from(bytes.subarray(-SEAL_BYTES));
      for (const ready of [before, bytes.subarray(0, -SEAL_BYTES)]) {
        hash.update(ready);
        if (ready.length > 0) yield ready;
      }
    }
    if (tail.length <= SEAL_BYTES) continue;
    const ready = tail.subarray(0, tail.length - SEAL_BYTES);
    hash.update(ready);
    yield ready;
    tail = tail.subarray(ready.length);
  }
  const expected = seal(hash.digest("hex"));
  if (!tail.equals(expected)) {
    const isCut = tail.subarray(0, 28).compare(expected.subarray(0, 28)) !== 0;
    throw new RuntimeError(isCut ? "its end is missing" : "it was changed since it was made", { retryable: false });
  }
}
