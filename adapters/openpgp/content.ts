/** What is signed or verified, as OpenPGP.js takes it: a stream that ends when its signal says so. */
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";

export interface Content extends Disposable {
  readonly stream: ReadableStream<Uint8Array>;
  /** What the source itself failed with. */
  readonly fault: () => unknown;
}

export function contentOf(content: Readable | Buffer, signal: AbortSignal): Content {
  const source = Buffer.isBuffer(content) ? Readable.from([content]) : content;
  let fault: unknown;
  const pieces = source[Symbol.asyncIterator]();
  source.on("error", (error) => {
    fault ??= error;
  });
  const leave = (): void => void source.destroy(toError(signal.reason));
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(Buffer.isBuffer(value) ? value : Buffer.from(value));
      },
      async cancel() {
        source.destroy();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    fault: () => (signal.aborted ? signal.reason : fault),
    [Symbol.dispose]() {
      signal.removeEventListener("abort", leave);
      source.destroy();
    },
  };
}

/** `for await` does not do for a stream of OpenPGP.js: it replaces this one method. */
export async function readAll(stream: { getReader(): { read(): Promise<{ done: boolean }> } } | null): Promise<void> {
  const reader = stream?.getReader();
  while (reader !== undefined && !(await reader.read()).done);
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
