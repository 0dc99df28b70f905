/** Brings an object of a version into the bucket: once, and never over one of another content. */
import type { Readable } from "node:stream";
import { RuntimeError } from "../../errors.ts";
import { type ObjectStore, PreconditionError } from "../../object-store.ts";
import { readSmall, sumOf } from "./bucket-files.ts";
import type { Unfinished } from "./unfinished.ts";

/** Somebody else who puts and removes the same object all the time. */
const ROUNDS = 3;

export interface Upload {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly contentType?: string;
  open(): Promise<Readable | Buffer>;
  /** Whether what is there already will do although it is not the same: another signature of the same text. */
  accepts?(content: Buffer): Promise<boolean>;
}

export interface UploadPlace {
  readonly store: ObjectStore;
  readonly key: string;
  readonly unfinished: Unfinished;
  readonly onProgress?: (bytes: number) => void;
}

/** May be done again, wherever it was cut short. @throws RuntimeError for another object in its place. */
export async function upload(place: UploadPlace, content: Upload, signal: AbortSignal): Promise<void> {
  const { store, key, unfinished } = place;
  const { sha256 } = content;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const before = (await store.head(key, signal)) === undefined ? undefined : await sumOf(store, key, signal);
    if (before?.sha256 === sha256) return;
    if (before !== undefined) {
      const kept = content.accepts && (await readSmall(store, key, signal));
      if (kept !== undefined && (await content.accepts?.(kept.content)) === true) return;
      if (!(await unfinished.has(key, before.sha256))) throw taken(store, key);
    }
    await unfinished.add(key, sha256);
    try {
      await store.put(key, await content.open(), putOptions(place, content, before?.etag), signal);
      return;
    } catch (error) {
      if (!(error instanceof PreconditionError)) throw error;
      // Ours after all, where the answer to an earlier try was lost on the way.
      if ((await sumOf(store, key, signal))?.sha256 === sha256) return;
      await unfinished.forget(key, sha256);
    }
  }
  throw taken(store, key);
}

function putOptions({ onProgress }: UploadPlace, { bytes, sha256, contentType }: Upload, etag: string | undefined) {
  return {
    bytes,
    sha256,
    onlyIf: etag === undefined ? ("absent" as const) : { etag },
    ...(contentType === undefined ? {} : { contentType }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

function taken(store: ObjectStore, key: string): RuntimeError {
  return new RuntimeError(`${store.name}/${key} is there already with other content, and a version never changes`, {
    retryable: false,
  });
}
