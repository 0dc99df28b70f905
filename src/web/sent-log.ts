/** A log as the body of an answer, as fast as whoever asked reads. */
import type { Readable } from "node:stream";
import type { Context } from "hono";
import { stream } from "hono/streaming";

/** The bytes from `first` to `last`, both in it. */
interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * Closes the log when it is sent, and when whoever asked has left.
 * @param range undefined: all of it. @param failed told why the log could not be read to its end.
 */
export function sendLog(c: Context, log: Readable, failed: (error: unknown) => void, range?: Range): Response {
  const { first, last } = range ?? { first: 0, last: Number.POSITIVE_INFINITY };
  const chunks: AsyncIterable<Buffer> = log;
  return stream(c, async (body) => {
    body.onAbort(() => void log.destroy());
    let at = 0;
    try {
      for await (const chunk of chunks) {
        const begin = Math.max(0, first - at);
        const end = Math.min(chunk.length, last + 1 - at);
        if (begin < end) await body.write(chunk.subarray(begin, end));
        at += chunk.length;
        if (at > last) break;
      }
    } catch (error) {
      // Who leaves in the middle breaks nothing.
      if (!body.aborted) failed(error);
    }
  });
}
