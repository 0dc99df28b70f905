/** An S3 server on loopback that behaves as S3 does, and misbehaves as S3 and the way to it do. Its objects lie in files. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { portOf } from "./loopback.ts";
import { type KeptUpload, readObject, S3Objects } from "./s3-objects.ts";
import { answerS3, isWrite, type S3Answer, type S3Request } from "./s3-operations.ts";
import { checkSignature, type S3Key } from "./s3-signature.ts";
import { document, S3Error } from "./s3-xml.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export const S3_KEY: S3Key = { accessKey: "AKIDOCKERCITEST", secretKey: "very/secret+key" };

export interface S3Options {
  /** `S3_KEY` where none are given. */
  readonly keys?: readonly S3Key[];
  /** There are no others, and none can be made. */
  readonly buckets: readonly string[];
  /** Keys a page of a listing; 1000. */
  readonly pageSize?: number;
  /** Of every part but the last; S3's own 5 MiB. */
  readonly minPartBytes?: number;
}

export interface S3TestObject {
  readonly key: string;
  readonly bytes: number;
  /** Without its quotes. */
  readonly etag: string;
  readonly storageClass: string;
  /** `content-type`, `x-amz-meta-…` and the like. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface S3Seen {
  readonly method: string;
  readonly bucket: string;
  /** Empty: of the bucket itself. */
  readonly key: string;
  /** Of the address, such as `uploads`, `partNumber`, `list-type`. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  /** Undefined: not answered so far, or cut. */
  readonly status: number | undefined;
}

/**
 * - `upload`: while the server reads an object or a part;
 * - `download`: while it sends one;
 * - `answer`: after it has done what a PUT, POST or DELETE asks, before it says so.
 */
export type Cut = "upload" | "download" | "answer";

export interface S3TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:…`; the same after a stop and a start. */
  readonly endpoint: string;
  readonly requests: readonly S3Seen[];
  /** In the order of their keys. */
  objects(bucket: string): readonly S3TestObject[];
  read(bucket: string, key: string): Promise<Buffer>;
  /** Changes one byte behind everybody's back, by default the first; from the end where negative. */
  corrupt(bucket: string, key: string, at?: number): Promise<void>;
  /** Removes the object behind everybody's back. */
  remove(bucket: string, key: string): Promise<void>;
  /** Uploads in parts that are neither completed nor aborted. */
  openUploads(bucket?: string): readonly Pick<KeptUpload, "id" | "bucket" | "key" | "begunAt">[];
  /** Answers the next requests with 503; 0 ends it. */
  slowDown(requests: number): void;
  /** Breaks the connection of the next such request whose key has that in it, after so many bytes of content. */
  cutNext(kind: Cut, options?: { readonly key?: string; readonly afterBytes?: number; readonly times?: number }): void;
  /** Whether requests that come are never answered. */
  hangs: boolean;
  /** How far the server's clock is ahead; S3 refuses from 15 minutes on. */
  clockAheadMs: number;
  /** Breaks what is under way. The objects stay. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface PendingCut {
  readonly kind: Cut;
  readonly key: string;
  readonly afterBytes: number;
  times: number;
}

/** The connection is to be broken. */
class CutError extends Error {
  override readonly name = "CutError";
}

export async function startS3({
  keys = [S3_KEY],
  buckets,
  pageSize = 1000,
  minPartBytes = 5 * 1024 ** 2,
}: S3Options): Promise<S3TestServer> {
  const folder = await temporaryFolder();
  const objects = new S3Objects(folder.path, buckets, minPartBytes);
  const requests: (S3Seen & { status: number | undefined })[] = [];
  const cuts: PendingCut[] = [];
  const sockets = new Set<Socket>();
  let slow = 0;
  let port = 0;
  let server: Server | undefined;

  /** The cut that this request is to suffer, which is then used up. */
  const takeCut = (kind: Cut, key: string): PendingCut | undefined => {
    const cut = cuts.find((pending) => pending.kind === kind && pending.times > 0 && key.includes(pending.key));
    if (cut !== undefined) cut.times -= 1;
    return cut;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, seen: S3Request): Promise<S3Answer> => {
    if (slow > 0) {
      slow -= 1;
      throw new S3Error(503, "SlowDown", "Please reduce your request rate.");
    }
    const now = new Date(Date.now() + control.clockAheadMs);
    const key = checkSignature({ method: seen.method, url: request.url ?? "/", headers: request.headers }, keys, now);
    objects.bucket(seen.bucket);
    if (key.buckets?.includes(seen.bucket) === false || (key.readOnly === true && isWrite(seen))) {
      throw new S3Error(403, "AccessDenied", "Access Denied");
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    return answerS3({ objects, pageSize }, seen);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, bucket = "", ...path] = url.pathname.split("/");
    const method = request.method ?? "";
    const key = path.map(decodeURIComponent).join("/");
    const entry: S3Seen & { status: number | undefined } = {
      method,
      bucket,
      key,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      status: undefined,
    };
    requests.push(entry);
    if (control.hangs) return;
    const isUpload = method === "PUT" && request.headers["x-amz-copy-source"] === undefined;
    const uploadCut = isUpload ? takeCut("upload", key) : undefined;
    const onBytes = (bytes: number): void => {
      if (uploadCut !== undefined && bytes > uploadCut.afterBytes) throw new CutError("cut");
    };
    response.setHeader("date", new Date(Date.now() + control.clockAheadMs).toUTCString());
    response.setHeader("x-amz-request-id", `REQUEST${requests.length}`);
    const asked = { request, method, bucket, key, query: url.searchParams, onBytes };
    const {
      status,
      headers = {},
      body,
    } = await answer(request, response, asked).catch((error: unknown) => {
      if (error instanceof S3Error) return errorAnswer(error, asked);
      throw error;
    });
    if (isWrite(asked) && status < 300 && takeCut("answer", key) !== undefined) throw new CutError("cut");
    entry.status = status;
    response.writeHead(status, headers);
    if (body === undefined || typeof body === "string") {
      response.end(method === "HEAD" ? undefined : body);
      return;
    }
    const downloadCut = takeCut("download", key);
    await pipeline(Readable.from(downloadCut === undefined ? body : upTo(body, downloadCut.afterBytes)), response);
  };

  const control: S3TestServer = {
    get endpoint() {
      return `http://127.0.0.1:${port}`;
    },
    requests,
    objects: (bucket) =>
      objects.sorted(bucket).map(({ key, bytes, etag, headers }) => ({
        key,
        bytes,
        etag: etag.replaceAll('"', ""),
        storageClass: headers["x-amz-storage-class"] ?? "STANDARD",
        headers,
      })),
    read(bucket, key) {
      const object = objects.find(bucket, key);
      return buffer(readObject(object, 0, object.bytes - 1));
    },
    corrupt: (bucket, key, at = 0) => objects.corrupt(bucket, key, at),
    async remove(bucket, key) {
      objects.find(bucket, key);
      await objects.remove(bucket, key);
    },
    openUploads: (bucket) =>
      [...objects.uploads.values()].filter((upload) => bucket === undefined || upload.bucket === bucket),
    slowDown(count) {
      slow = count;
    },
    cutNext(kind, { key = "", afterBytes = 0, times = 1 } = {}) {
      cuts.push({ kind, key, afterBytes, times });
    },
    hangs: false,
    clockAheadMs: 0,
    async start() {
      if (server !== undefined) return;
      const handle = (request: IncomingMessage, response: ServerResponse): void => {
        const { socket } = request;
        // Whatever else went wrong on the way, such as a client that left, ends the connection too.
        serve(request, response).catch(() => socket.destroy());
      };
      const fresh = createServer(handle).on("checkContinue", handle);
      fresh.on("connection", (socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
      });
      fresh.listen(port, "127.0.0.1");
      await once(fresh, "listening");
      port = portOf(fresh);
      server = fresh;
    },
    async stop() {
      const old = server;
      server = undefined;
      if (old === undefined) return;
      const closed = once(old, "close");
      old.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async [Symbol.asyncDispose]() {
      await control.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
  await control.start();
  return control;
}

function errorAnswer({ status, code, message }: S3Error, { bucket, key }: S3Request): S3Answer {
  const content = { Code: code, Message: message, Resource: `/${bucket}/${key}`, RequestId: "REQUEST" };
  return { status, headers: { "content-type": "application/xml" }, body: document("Error", content) };
}

async function* upTo(content: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of content) {
    if (chunk.length > left) {
      yield chunk.subarray(0, left);
      // What was yielded is on its way before the connection breaks.
      await new Promise((resolve) => setImmediate(resolve));
      throw new CutError("cut");
    }
    left -= chunk.length;
    yield chunk;
  }
  throw new CutError("cut");
}
