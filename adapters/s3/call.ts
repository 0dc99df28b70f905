/** One question to a bucket: ended when its signal says so, its failure a sentence. */
import type { S3Client } from "@aws-sdk/client-s3";
import type { Bucket } from "../../src/config.ts";
import type { S3Settings } from "./client.ts";
import { readFailure } from "./failure.ts";

/** What every operation of one bucket is given. */
export interface Scene {
  readonly bucket: Bucket;
  readonly client: S3Client;
  readonly settings: S3Settings;
}

/**
 * @param what is done, for the sentence: `read there`. @param expected what is no failure but an answer.
 * @throws RuntimeError; the signal's reason at once when it aborts, even between two attempts.
 */
export async function call<T, E = never>(
  { bucket }: Scene,
  what: string,
  signal: AbortSignal,
  ask: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  expected?: (error: unknown) => E | undefined,
): Promise<T | E> {
  signal.throwIfAborted();
  using linked = link(signal);
  const aborted = new Promise<never>((_resolve, reject) => {
    linked.signal.addEventListener("abort", () => reject(signal.reason));
  });
  try {
    return await Promise.race([ask({ abortSignal: linked.signal }), aborted]);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const answer = expected?.(error);
    if (answer !== undefined) return answer;
    throw readFailure(error, bucket, what);
  }
}

/** A signal for one request: Amazon's client never takes its listeners away, and with them whole parts would stay in memory. */
export function link(signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const own = new AbortController();
  const leave = (): void => own.abort(signal.reason);
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  return { signal: own.signal, [Symbol.dispose]: () => signal.removeEventListener("abort", leave) };
}
