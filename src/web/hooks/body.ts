/** The body of a request from anybody: bounded in size, in time, and all of them together in memory. */

/** GitHub sends no more than 25 MB, so nothing that is meant well is refused; what it sends is seldom more than 20 KB. */
export const BODY_BYTES_MAX = 25 * 1024 ** 2;
const TOGETHER_BYTES_MAX = 4 * BODY_BYTES_MAX;
/** GitHub and GitLab themselves give up after ten seconds. */
const PATIENCE_MS = 10_000;

export type Body =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "too large" | "incomplete" | "too many" };

export interface BodyReader {
  read(request: Request, maxBytes: number): Promise<Body>;
}

export function createBodyReader(patienceMs: number = PATIENCE_MS): BodyReader {
  let together = 0;

  async function collect(body: ReadableStream<Uint8Array>, maxBytes: number, signal: AbortSignal): Promise<Body> {
    const reader = body.getReader();
    // Ends the read that is under way. A stream that fails at it has ended already, as when its sender went away.
    const giveUp = (): void => void reader.cancel().catch(() => undefined);
    signal.addEventListener("abort", giveUp);
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (signal.aborted) return { kind: "incomplete" };
        if (done) return { kind: "read", bytes: Buffer.concat(chunks, length) };
        length += value.byteLength;
        together += value.byteLength;
        if (length > maxBytes) return { kind: "too large" };
        if (together > TOGETHER_BYTES_MAX) return { kind: "too many" };
        chunks.push(value);
      }
    } catch {
      // Whoever sent it went away in the middle.
      return { kind: "incomplete" };
    } finally {
      together -= length;
      signal.removeEventListener("abort", giveUp);
    }
  }

  return {
    async read(request, maxBytes) {
      if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return { kind: "too large" };
      if (request.body === null) return { kind: "read", bytes: Buffer.alloc(0) };
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), patienceMs);
      try {
        return await collect(request.body, maxBytes, late.signal);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
