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
  ask: () => Promise<T>,
  expected?: (error: unknown) => E | undefined,
): Promise<T | E> {
  signal.throwIfAborted();
  let leave: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    return await Promise.race([ask(), aborted]);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const answer = expected?.(error);
    if (answer !== undefined) return answer;
    throw readFailure(error, bucket, what);
  } finally {
    if (leave !== undefined) signal.removeEventListener("abort", leave);
  }
}
