/** Writing an object: in parts where it is large, each of which the server checks, and either whole or not at all. */
import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { type PutObjectCommandInput, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { RuntimeError } from "../../src/errors.ts";
import { PreconditionError, type PutOptions, type StoredObject } from "../../src/object-store.ts";
import { link, type Scene } from "./call.ts";
import { newClient } from "./client.ts";
import { isNamed, readFailure, storeName } from "./failure.ts";
import { headObject, PUT_KEY, plainly, SHA256_KEY } from "./read.ts";
import { abortUploads } from "./uploads.ts";

/** So many at once are in memory, and one that is being filled: 24 MiB. */
const PARTS_AT_ONCE = 2;
const PART_BYTES = 8 * 1024 ** 2;
/** S3 takes no more: without `bytes` an object has 78 GiB at most. */
const PARTS_MAX = 10_000;

export async function putObject(
  scene: Scene,
  key: string,
  content: Readable | Buffer,
  options: PutOptions,
  signal: AbortSignal,
): Promise<StoredObject> {
  const { bucket } = scene;
  const source = Buffer.isBuffer(content) ? Readable.from([content]) : content;
  const putId = randomUUID();
  const sending = new Sending(source, options.sha256, `${storeName(bucket)}/${key}`);
  const leave = (): void => sending.fail(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  const client = sending.clientOf(scene);
  try {
    signal.throwIfAborted();
    const bytes = Buffer.isBuffer(content) ? content.length : (options.bytes ?? 0);
    const upload = new Upload({
      client,
      params: paramsOf(scene, key, putId, sending.body, options),
      partSize: Math.max(PART_BYTES, Math.ceil(bytes / (PARTS_MAX - 1))),
      queueSize: PARTS_AT_ONCE,
    });
    upload.on("httpUploadProgress", ({ loaded = 0 }) => options.onProgress?.(loaded));
    await upload.done();
  } catch (thrown) {
    const error = sending.failure ?? thrown;
    if (signal.aborted) throw signal.reason;
    if (sending.isSourceFault) throw error;
    // The first attempt may have done it, and only its answer was lost.
    const isTaken = isNamed(error, "PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload");
    const isMissing = isNamed(error, "NoSuchKey") && options.onlyIf !== undefined;
    if (!isTaken && !isMissing) throw readFailure(error, bucket, "write there");
    const there = isTaken ? await headObject(scene, key, signal) : undefined;
    if (there?.putId !== putId) {
      if (isNamed(error, "NoSuchUpload")) throw readFailure(error, bucket, "write there");
      throw new PreconditionError(`${storeName(bucket)}: ${key} is not as it was`);
    }
  } finally {
    signal.removeEventListener("abort", leave);
    source.destroy();
    if (sending.mayHaveLeft) await abandon(scene, key);
  }
  const stored = await headObject(scene, key, signal);
  if (stored?.putId === putId && stored.bytes !== sending.bytes) {
    throw new RuntimeError(`${storeName(bucket)}: of ${key}, ${stored.bytes} of ${sending.bytes} bytes arrived`);
  }
  if (stored === undefined) throw new RuntimeError(`${storeName(bucket)}: ${key} is gone as soon as it was written`);
  return plainly(stored);
}

function paramsOf(
  { bucket }: Scene,
  key: string,
  putId: string,
  body: Readable,
  { contentType, redirect, sha256, onlyIf }: PutOptions,
): PutObjectCommandInput {
  return {
    Bucket: bucket.bucket,
    Key: key,
    Body: body,
    ChecksumAlgorithm: "SHA256",
    Metadata: { [PUT_KEY]: putId, ...(sha256 === undefined ? {} : { [SHA256_KEY]: sha256 }) },
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    ...(redirect === undefined ? {} : { WebsiteRedirectLocation: redirect }),
    ...(bucket.storageClass === undefined ? {} : { StorageClass: bucket.storageClass }),
    ...(onlyIf === undefined ? {} : onlyIf === "absent" ? { IfNoneMatch: "*" } : { IfMatch: onlyIf.etag }),
  };
}

/**
 * One object on its way. lib-storage goes on with the other parts when one has failed and waits for a source that is silent:
 * the first failure of anything ends the content here, and with it all that is under way.
 */
class Sending {
  readonly body: Readable;
  bytes = 0;
  failure: unknown;
  isSourceFault = false;
  /** Whether an upload was begun twice because the answer to the first time was lost. */
  mayHaveLeft = false;
  readonly #source: Readable;
  readonly #ended = new AbortController();

  constructor(source: Readable, sha256: string | undefined, name: string) {
    this.#source = source;
    this.body = Readable.from(this.#checked(sha256, name), { objectMode: false });
    for (const stream of [source, this.body]) {
      stream.on("error", () => {
        // Whoever reads it is told too.
      });
    }
  }

  fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.#ended.abort(error);
    const fault = error instanceof Error ? error : new Error(String(error));
    // Both: the generator between them cannot be left while it waits for the source.
    this.#source.destroy(fault);
    this.body.destroy(fault);
  }

  async *#checked(sha256: string | undefined, name: string): AsyncGenerator<Buffer> {
    const hash = createHash("sha256");
    try {
      for await (const chunk of this.#source) {
        const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
        this.bytes += buffer.length;
        hash.update(buffer);
        yield buffer;
      }
      if (sha256 !== undefined && hash.digest("hex") !== sha256) {
        throw new RuntimeError(`${name}: what was to be stored is not what was announced`, { retryable: false });
      }
    } catch (error) {
      if (this.failure === undefined) this.isSourceFault = true;
      this.fail(error);
      throw error;
    }
  }

  /** A client whose calls end with this object; only what begins and what aborts an upload is always heard to its end. */
  clientOf({ bucket, client: { config }, settings }: Scene): S3Client {
    const { requestHandler } = config;
    const handle: typeof requestHandler.handle = async (request, options) => {
      const isKept = request.method === "DELETE" || (request.method === "POST" && "uploads" in request.query);
      if (isKept) return requestHandler.handle(request, options);
      using linked = link(this.#ended.signal);
      return await requestHandler.handle(request, { ...options, abortSignal: linked.signal });
    };
    const client = newClient(bucket, settings, {
      credentials: config.credentials,
      requestHandler: {
        metadata: requestHandler.metadata,
        handle,
        updateHttpClientConfig: () => undefined,
        httpHandlerConfigs: () => ({}),
      },
    });
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          try {
            const result = await next(args);
            if (commandName === "CreateMultipartUploadCommand" && attemptsOf(result.output) > 1)
              this.mayHaveLeft = true;
            return result;
          } catch (error) {
            if (commandName === "CreateMultipartUploadCommand" && !isFirstAttempt(error)) this.mayHaveLeft = true;
            this.fail(error);
            throw error;
          }
        },
      { step: "initialize" },
    );
    return client;
  }
}

function isFirstAttempt(error: unknown): boolean {
  return error instanceof S3ServiceException && attemptsOf(error) === 1;
}

function attemptsOf({ $metadata }: { readonly $metadata: { readonly attempts?: number } }): number {
  return $metadata.attempts ?? 1;
}

async function abandon(scene: Scene, key: string): Promise<void> {
  const signal = AbortSignal.timeout(scene.settings.idleMs);
  // What cannot be looked at now may stay: `abandonUploads` finds it later, and the failure of the put itself is told.
  await abortUploads(scene, key, (upload) => upload.key === key, signal).catch(() => undefined);
}
