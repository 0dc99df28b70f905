/** Small things that putting and comparing share: an object's sum, and the content of one that is small. */
import { createHash } from "node:crypto";
import { RuntimeError } from "../../errors.ts";
import type { ObjectStore, StoredObject } from "../../object-store.ts";

/** Of a manifest of some ten thousand files. What is larger is none. */
const TEXT_BYTES_MAX = 8 * 1024 ** 2;

export interface StoredSum {
  readonly bytes: number;
  readonly sha256: string;
  readonly etag: string;
}

/** Reads all of it; undefined where there is none. The sum of one that is damaged is none: `""`. */
export async function sumOf(store: ObjectStore, key: string, signal: AbortSignal): Promise<StoredSum | undefined> {
  const found = await store.get(key, signal);
  if (found === undefined) return undefined;
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of found.content) {
      signal.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { bytes, sha256: "", etag: found.etag };
  }
  return { bytes, sha256: hash.digest("hex"), etag: found.etag };
}

/** @returns undefined where there is none. Nothing is in one that is damaged, or too large to be what is looked for. */
export async function readSmall(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<(Pick<StoredObject, "etag"> & { readonly content: Buffer }) | undefined> {
  const found = await store.get(key, signal);
  if (found === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  const nothing = { etag: found.etag, content: Buffer.alloc(0) };
  let bytes = 0;
  try {
    for await (const chunk of found.content) {
      signal.throwIfAborted();
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > TEXT_BYTES_MAX) return nothing;
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return nothing;
  }
  return { etag: found.etag, content: Buffer.concat(chunks) };
}

/** The store itself found out that what it sends is not what was put there; no second try makes that better. */
function isDamage(error: unknown): boolean {
  return error instanceof RuntimeError && !error.retryable;
}
