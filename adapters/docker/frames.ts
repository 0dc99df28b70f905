/**
 * The Engine's framing of a container's two streams: eight bytes (stream, three zeros, length big-endian), then that many
 * bytes of it. Written by hand because dockerode's `demuxStream` has no back-pressure.
 */

import { RuntimeError } from "../../src/errors.ts";
import type { OutputChunk } from "../../src/runtime.ts";

const HEADER_BYTES = 8;

/**
 * Yields the whole frames of each chunk read, in order. Reads no faster than it is consumed.
 * @throws RuntimeError when the stream ends inside a frame or is none.
 */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<readonly OutputChunk[], void> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let wanted = HEADER_BYTES;
  for await (const chunk of source) {
    pending.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    pendingBytes += chunk.byteLength;
    if (pendingBytes < wanted) continue;
    const { frames, rest, needed } = parseFrames(pending.length === 1 ? pending[0] : Buffer.concat(pending));
    pending = rest.length > 0 ? [rest] : [];
    pendingBytes = rest.length;
    wanted = needed;
    if (frames.length > 0) yield frames;
  }
  if (pendingBytes > 0) throw new RuntimeError("the connection to the Docker Engine broke in the middle of its output");
}

/** All whole frames at the front of `bytes`, what is left, and how long that must grow before there is another. */
export function parseFrames(bytes: Buffer = Buffer.alloc(0)): {
  frames: readonly OutputChunk[];
  rest: Buffer;
  needed: number;
} {
  const frames: OutputChunk[] = [];
  let at = 0;
  let needed = HEADER_BYTES;
  while (bytes.length - at >= HEADER_BYTES) {
    const kind = bytes[at];
    // 0 is stdin's echo, which the Engine documents and writes to stdout.
    if (kind === undefined || kind > 2) throw new RuntimeError("the Docker Engine's output is not in frames");
    needed = HEADER_BYTES + bytes.readUInt32BE(at + 4);
    if (bytes.length - at < needed) break;
    frames.push({ stream: kind === 2 ? "stderr" : "stdout", bytes: bytes.subarray(at + HEADER_BYTES, at + needed) });
    at += needed;
    needed = HEADER_BYTES;
  }
  return { frames, rest: bytes.subarray(at), needed };
}
