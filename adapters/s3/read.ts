/** Looking at objects and reading them: taken up again where the connection broke, and compared with what was stored. */
import { createHash } from "node:crypto";
import { PassThrough, pipeline, Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import {
  ChecksumType,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { RuntimeError } from "../../src/errors.ts";
import type { StoredObject } from "../../src/object-store.ts";
import { call, type Scene } from "./call.ts";
import { isNamed, readFailure, storeName } from "./failure.ts";

/** Where `put` notes the SHA-256 of the whole, which S3 itself knows only of objects that came in one part. */
export const SHA256_KEY = "docker-ci-sha256";
/** Where `put` notes which call wrote the object. */
export const PUT_KEY = "docker-ci-put";

/** How often an object may change between the look at it and its reading. */
const LOOKS = 3;

export interface LookedAt extends StoredObject {
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Hexadecimal; undefined where nobody noted it. */
  readonly sha256: string | undefined;
  readonly putId: string | undefined;
}

export async function headObject(scene: Scene, key: string, signal: AbortSignal): Promise<LookedAt | undefined> {
  const { client, bucket } = scene;
  const command = new HeadObjectCommand({ Bucket: bucket.bucket, Key: key, ChecksumMode: "ENABLED" });
  let refused: unknown;
  const found = await call(
    scene,
    "read there",
    signal,
    (ask) => client.send(command, ask),
    (error) => {
      if (!isSilent(error)) return undefined;
      refused = error;
      return "refused" as const;
    },
  );
  if (found !== "refused") return lookedAt(key, found);
  // The answer to HEAD has no words. A question that has some tells a missing object from a missing bucket or a wrong key.
  await listPage(scene, key, undefined, 1, signal);
  if (isNamed(refused, "NotFound", "NoSuchKey")) return undefined;
  throw readFailure(refused, bucket, "read there");
}

function isSilent(error: unknown): boolean {
  if (!(error instanceof Error) || !("$metadata" in error)) return false;
  const { $metadata } = error;
  if (typeof $metadata !== "object" || $metadata === null || !("httpStatusCode" in $metadata)) return false;
  const { httpStatusCode } = $metadata;
  return typeof httpStatusCode === "number" && httpStatusCode >= 400 && httpStatusCode < 500;
}

function lookedAt(key: string, head: HeadObjectCommandOutput): LookedAt {
  const { ChecksumSHA256: sum = "", ChecksumType: type, Metadata: metadata = {} } = head;
  const isOfAll = sum !== "" && !sum.includes("-") && type !== ChecksumType.COMPOSITE;
  return {
    key,
    bytes: head.ContentLength ?? 0,
    etag: head.ETag ?? "",
    modifiedAt: head.LastModified ?? new Date(0),
    sha256: isOfAll ? Buffer.from(sum, "base64").toString("hex") : metadata[SHA256_KEY],
    putId: metadata[PUT_KEY],
    contentType: head.ContentType,
    ...(head.WebsiteRedirectLocation === undefined ? {} : { redirect: head.WebsiteRedirectLocation }),
    metadata,
  };
}

export function plainly({ key, bytes, etag, modifiedAt, redirect }: LookedAt): StoredObject {
  return { key, bytes, etag, modifiedAt, ...(redirect === undefined ? {} : { redirect }) };
}

export async function listPage(
  scene: Scene,
  prefix: string,
  token: string | undefined,
  keys: number,
  signal: AbortSignal,
): Promise<{ readonly objects: readonly StoredObject[]; readonly next: string | undefined }> {
  const { client, bucket } = scene;
  const command = new ListObjectsV2Command({
    Bucket: bucket.bucket,
    Prefix: prefix,
    MaxKeys: keys,
    ContinuationToken: token,
  });
  const page = await call(scene, "list what is there", signal, (ask) => client.send(command, ask));
  return {
    objects: (page.Contents ?? []).map(({ Key = "", Size = 0, ETag = "", LastModified = new Date(0) }) => ({
      key: Key,
      bytes: Size,
      etag: ETag,
      modifiedAt: LastModified,
    })),
    next: page.IsTruncated === true ? page.NextContinuationToken : undefined,
  };
}

export async function getObject(
  scene: Scene,
  key: string,
  signal: AbortSignal,
): Promise<(StoredObject & { readonly content: Readable }) | undefined> {
  for (let looks = 1; ; looks += 1) {
    const head = await headObject(scene, key, signal);
    if (head === undefined) return undefined;
    const first = await openAt(scene, head, 0, signal);
    if (first === "changed" && looks < LOOKS) continue;
    if (first === "changed") throw new RuntimeError(`${storeName(scene.bucket)}: ${key} changes while it is read`);
    const leaving = new AbortController();
    const content = new PassThrough();
    // Also when whoever reads has had enough, while a generator waits for the next piece.
    content.once("close", () => leaving.abort(new Error("nobody reads it any more")));
    pipeline(wholeOf(scene, head, first, AbortSignal.any([signal, leaving.signal])), content, () => {
      // The content itself tells its reader.
    });
    return { ...plainly(head), content };
  }
}

/** The content from that byte on; `changed` when it is another object by now. */
async function openAt(
  scene: Scene,
  { key, bytes, etag }: StoredObject,
  start: number,
  signal: AbortSignal,
): Promise<Readable | "changed"> {
  const { client, bucket } = scene;
  const command = new GetObjectCommand({
    Bucket: bucket.bucket,
    Key: key,
    IfMatch: etag,
    ...(start === 0 ? {} : { Range: `bytes=${start}-${bytes - 1}` }),
  });
  const answer = await call(
    scene,
    "read there",
    signal,
    (ask) => client.send(command, ask),
    (error) => (isNamed(error, "PreconditionFailed", "NoSuchKey") ? ("changed" as const) : undefined),
  );
  if (answer === "changed") return answer;
  if (!(answer.Body instanceof Readable)) throw new Error("Amazon's client gives no stream of Node's");
  return answer.Body;
}

async function* wholeOf(scene: Scene, head: LookedAt, first: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { bucket, settings } = scene;
  const at = `${storeName(bucket)}/${head.key}`;
  const hash = createHash("sha256");
  let body: Readable = first;
  let bytes = 0;
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        for await (const chunk of watched(body, settings.idleMs, signal)) {
          bytes += chunk.length;
          hash.update(chunk);
          yield chunk;
        }
        if (bytes >= head.bytes) break;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (attempt >= settings.attempts) throw readFailure(error, bucket, "read there");
      }
      if (attempt >= settings.attempts) throw new RuntimeError(`${at}: only ${bytes} of ${head.bytes} bytes come`);
      await pause(Math.min(50 * 2 ** attempt, 5_000), undefined, { signal }).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : error;
      });
      const again = await openAt(scene, head, bytes, signal);
      if (again === "changed") throw new RuntimeError(`${at}: it was replaced while it was read`);
      body = again;
    }
    const isWrong = bytes !== head.bytes || (head.sha256 !== undefined && hash.digest("hex") !== head.sha256);
    if (isWrong) throw new RuntimeError(`${at}: what is served is not what was stored`, { retryable: false });
  } finally {
    body.destroy();
  }
}

/** Ends with an error when nothing comes for so long. */
async function* watched(body: Readable, idleMs: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const late = (): void => void body.destroy(Object.assign(new Error("nothing comes"), { name: "TimeoutError" }));
  const leave = (): void => void body.destroy(new Error("aborted"));
  signal.addEventListener("abort", leave, { once: true });
  let timer = setTimeout(late, idleMs);
  try {
    for await (const chunk of body) {
      // Whoever reads may take its time.
      clearTimeout(timer);
      yield Buffer.from(chunk);
      timer = setTimeout(late, idleMs);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}
