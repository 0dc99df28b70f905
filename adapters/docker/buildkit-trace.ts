/** BuildKit's progress: `moby.buildkit.v1.StatusResponse` in base64, as far as people want to read it. */
import { readFields } from "./protobuf.ts";

/** A step of the build's graph; comes again whenever something about it changes. */
export interface Vertex {
  readonly digest: string;
  /** `[2/5] RUN npm ci`, `[internal] load build definition`, … */
  readonly name: string;
  readonly cached: boolean;
  readonly started: boolean;
  readonly completed: boolean;
  readonly error: string;
}

/** Bytes that a step printed. */
export interface VertexLog {
  readonly digest: string;
  readonly text: Uint8Array;
}

/** Field numbers from api/services/control/control.proto of moby/buildkit. */
export function decodeTrace(base64: string): { vertexes: readonly Vertex[]; logs: readonly VertexLog[] } {
  const vertexes: Vertex[] = [];
  const logs: VertexLog[] = [];
  for (const { number, value } of readFields(Buffer.from(base64, "base64"))) {
    if (typeof value === "number") continue;
    if (number === 1) vertexes.push(decodeVertex(value));
    if (number === 3) logs.push(decodeLog(value));
  }
  return { vertexes, logs };
}

function decodeVertex(bytes: Uint8Array): Vertex {
  const fields = new Map([...readFields(bytes)].map(({ number, value }) => [number, value]));
  return {
    digest: text(fields.get(1)),
    name: text(fields.get(3)),
    cached: fields.get(4) === 1,
    started: fields.has(5),
    completed: fields.has(6),
    error: text(fields.get(7)),
  };
}

function decodeLog(bytes: Uint8Array): VertexLog {
  const fields = new Map([...readFields(bytes)].map(({ number, value }) => [number, value]));
  const message = fields.get(4);
  return { digest: text(fields.get(1)), text: message instanceof Uint8Array ? message : Buffer.alloc(0) };
}

function text(value: number | Uint8Array | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : "";
}
