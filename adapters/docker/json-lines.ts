/** The Engine's progress streams: one JSON object a line. */
import { StringDecoder } from "node:string_decoder";
import { z } from "zod";

/** One event of a build or a pull; a failure is an event like another. */
const ProgressEvent = z.object({
  /** What the classic builder prints. */
  stream: z.string().optional(),
  status: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
  error: z.string().optional(),
  errorDetail: z.object({ code: z.number().optional(), message: z.string().optional() }).optional(),
  /** `{ ID }` of the image built, or BuildKit's trace in base64. */
  aux: z.union([z.string(), z.object({ ID: z.string().optional() })]).optional(),
});
export type ProgressEvent = z.infer<typeof ProgressEvent>;

/** Yields the events in order, and reads no faster than they are consumed. What is no event is left out. */
export async function* readEvents(source: AsyncIterable<Uint8Array>): AsyncGenerator<ProgressEvent, void> {
  const decoder = new StringDecoder();
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = parse(line);
      if (event !== undefined) yield event;
    }
  }
  const last = parse(rest);
  if (last !== undefined) yield last;
}

function parse(line: string): ProgressEvent | undefined {
  if (line.trim() === "") return undefined;
  try {
    return ProgressEvent.safeParse(JSON.parse(line)).data;
  } catch {
    // A proxy's word in between, or a line cut off with its connection; the end of the stream tells what became of it.
    return undefined;
  }
}

/** A pull's progress as lines worth keeping: each layer's steps, not the bars drawn with them. */
export function statusLine({ status, id, progressDetail }: ProgressEvent): string | undefined {
  if (status === undefined || progressDetail?.current !== undefined) return undefined;
  return id === undefined ? `${status}\n` : `${id}: ${status}\n`;
}
