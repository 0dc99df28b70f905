/** The port to a bucket: named objects, whole or not there at all. adapters/s3 speaks with S3 and what resembles it. */
import type { Readable } from "node:stream";
import type { Bucket } from "./config.ts";

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** Changes with the content; opaque. */
  readonly etag: string;
  readonly modifiedAt: Date;
  /** Where a browser that asks for it is sent; known where the object itself was looked at, not from a listing. */
  readonly redirect?: string;
}

export interface PutOptions {
  readonly contentType?: string;
  /** An address, or a path in the bucket that begins with a slash: where the bucket as a website sends a browser that asks for it. */
  readonly redirect?: string;
  /** Of the whole content, lower-case hexadecimal. What arrived otherwise is not kept. */
  readonly sha256?: string;
  /**
   * `absent`: only where there is no such object yet; an etag: only over the object of that etag. Else the put is a
   * PreconditionError and nothing changed.
   */
  readonly onlyIf?: "absent" | { readonly etag: string };
  /** Of the content, roughly, where it is a stream: only for what is larger than 78 GiB. */
  readonly bytes?: number;
  /** Told now and then how much of it is there. */
  readonly onProgress?: (bytes: number) => void;
}

/** Somebody else was quicker: the object is not as `onlyIf` says. */
export class PreconditionError extends Error {
  override readonly name = "PreconditionError";
}

/**
 * One bucket. All calls retry what may mend itself (503, a broken connection) for a bounded time, and then throw a RuntimeError
 * with a sentence that names the bucket and what is wrong (`s3://test: the access key is not known there`); `retryable` says
 * whether it may work later. Aborting ends them with the signal's reason and leaves no half object and no open upload.
 */
export interface ObjectStore extends AsyncDisposable {
  /** `s3://test.example.org` */
  readonly name: string;
  /** Streams, in parts where it is large: memory does not grow with the size. @throws PreconditionError */
  put(key: string, content: Readable | Buffer, options: PutOptions, signal: AbortSignal): Promise<StoredObject>;
  /**
   * Undefined where there is none. The content fails with a RuntimeError, not retryable, when other arrives than was put, as far as
   * that is known: by its length, and by its SHA-256 where it was put with one or in one part.
   */
  get(key: string, signal: AbortSignal): Promise<(StoredObject & { readonly content: Readable }) | undefined>;
  head(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** All with that prefix, in the order of their keys. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;
  /** On the server, without the content coming here. */
  copy(from: string, to: string, signal: AbortSignal): Promise<void>;
  /** No error where there is none. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /**
   * Ends what was begun below the prefix before that time and never completed, by a process that was killed.
   * @returns how many uploads it were.
   */
  abandonUploads(prefix: string, begunBefore: Date, signal: AbortSignal): Promise<number>;
  /**
   * Whether the bucket is there and may be written to. Never creates one (O-93).
   * @throws RuntimeError with what is wrong and what to do.
   */
  probe(signal: AbortSignal): Promise<void>;
}

/** Calls nothing before somebody asks. */
export type OpenStore = (bucket: Bucket) => Promise<ObjectStore>;
