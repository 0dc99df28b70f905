/** What the S3 of the tests keeps: objects and begun uploads, their bytes in files so that gigabytes may pass. */
import { createHash, randomUUID } from "node:crypto";
import { constants, createReadStream, createWriteStream } from "node:fs";
import { copyFile, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ReceivedBody } from "./s3-body.ts";
import { S3Error } from "./s3-xml.ts";

interface Segment {
  readonly file: string;
  readonly bytes: number;
}

/** What a client may say of an object: its content type, storage class and own metadata. */
export type ObjectHeaders = Readonly<Record<string, string>>;

export interface KeptObject {
  readonly key: string;
  readonly bytes: number;
  /** With its quotes, as it is sent. */
  readonly etag: string;
  readonly modifiedAt: Date;
  readonly headers: ObjectHeaders;
  /** `x-amz-checksum-sha256` and the like; of an upload in parts, that of the parts' with their count behind it. */
  readonly checksums: ObjectHeaders;
  readonly segments: readonly Segment[];
}

interface Part extends ReceivedBody {
  readonly file: string;
  readonly modifiedAt: Date;
}

export interface KeptUpload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly headers: ObjectHeaders;
  readonly begunAt: Date;
  readonly parts: Map<number, Part>;
}

export interface PartName {
  readonly number: number;
  readonly etag: string;
  readonly sha256: string | undefined;
}

/** `If-None-Match` and `If-Match` of a write; empty where there is none. */
export interface Condition {
  readonly ifNoneMatch: string;
  readonly ifMatch: string;
}

export class S3Objects {
  readonly uploads = new Map<string, KeptUpload>();
  readonly #buckets: ReadonlyMap<string, Map<string, KeptObject>>;
  readonly #folder: string;
  readonly #minPartBytes: number;

  constructor(folder: string, buckets: readonly string[], minPartBytes: number) {
    this.#folder = folder;
    this.#buckets = new Map(buckets.map((name) => [name, new Map()]));
    this.#minPartBytes = minPartBytes;
  }

  newFile(): string {
    return join(this.#folder, randomUUID());
  }

  bucket(name: string): Map<string, KeptObject> {
    const objects = this.#buckets.get(name);
    if (objects === undefined) throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
    return objects;
  }

  /** In the order of their keys' bytes. */
  sorted(bucket: string): readonly KeptObject[] {
    return [...this.bucket(bucket).values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  find(bucket: string, key: string): KeptObject {
    const object = this.bucket(bucket).get(key);
    if (object === undefined) throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
    return object;
  }

  upload(id: string): KeptUpload {
    const upload = this.uploads.get(id);
    if (upload === undefined) throw new S3Error(404, "NoSuchUpload", "The specified upload does not exist.");
    return upload;
  }

  checkCondition(bucket: string, key: string, { ifNoneMatch, ifMatch }: Condition): void {
    const failed = new S3Error(
      412,
      "PreconditionFailed",
      "At least one of the pre-conditions you specified did not hold",
    );
    const current = this.bucket(bucket).get(key);
    if (ifNoneMatch === "*" && current !== undefined) throw failed;
    if (ifMatch === "") return;
    if (current === undefined) throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
    if (bare(current.etag) !== bare(ifMatch)) throw failed;
  }

  async put(bucket: string, object: Omit<KeptObject, "modifiedAt">, condition: Condition): Promise<KeptObject> {
    this.checkCondition(bucket, object.key, condition);
    const kept = { ...object, modifiedAt: new Date() };
    const old = this.bucket(bucket).get(object.key);
    this.bucket(bucket).set(object.key, kept);
    await removeFiles(old?.segments ?? []);
    return kept;
  }

  async remove(bucket: string, key: string): Promise<void> {
    const old = this.bucket(bucket).get(key);
    this.bucket(bucket).delete(key);
    await removeFiles(old?.segments ?? []);
  }

  async copy(from: KeptObject): Promise<readonly Segment[]> {
    return Promise.all(
      from.segments.map(async ({ file, bytes }) => {
        const copied = this.newFile();
        await copyFile(file, copied, constants.COPYFILE_FICLONE);
        return { file: copied, bytes };
      }),
    );
  }

  /** @param end included. */
  async copyPart(from: KeptObject, start: number, end: number): Promise<ReceivedBody & { readonly file: string }> {
    const file = this.newFile();
    const md5 = createHash("md5");
    await pipeline(
      readObject(from, start, end),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          md5.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file),
    );
    return { file, bytes: end - start + 1, md5: md5.digest("hex"), checksums: {} };
  }

  begin(bucket: string, key: string, headers: ObjectHeaders): KeptUpload {
    const upload = { id: randomUUID(), bucket, key, headers, begunAt: new Date(), parts: new Map() };
    this.uploads.set(upload.id, upload);
    return upload;
  }

  async addPart(upload: KeptUpload, number: number, file: string, body: ReceivedBody): Promise<void> {
    if (!this.uploads.has(upload.id)) {
      await rm(file, { force: true });
      throw new S3Error(404, "NoSuchUpload", "The specified upload does not exist.");
    }
    const old = upload.parts.get(number);
    upload.parts.set(number, { ...body, file, modifiedAt: new Date() });
    if (old !== undefined) await rm(old.file, { force: true });
  }

  async abort({ id, parts }: KeptUpload): Promise<void> {
    this.uploads.delete(id);
    await removeFiles([...parts.values()]);
  }

  async complete(upload: KeptUpload, named: readonly PartName[], condition: Condition): Promise<KeptObject> {
    const { bucket, key, headers } = upload;
    if (named.some(({ number }, index) => number <= (named[index - 1]?.number ?? 0))) {
      throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
    }
    const parts = named.map(({ number, etag, sha256 }) => {
      const part = upload.parts.get(number);
      const sent = part?.checksums["x-amz-checksum-sha256"];
      if (part?.md5 !== bare(etag) || (sha256 !== undefined && sent !== undefined && sha256 !== sent)) {
        throw new S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.");
      }
      return part;
    });
    if (parts.length === 0) throw new S3Error(400, "MalformedXML", "The XML you provided was not well-formed");
    if (parts.slice(0, -1).some(({ bytes }) => bytes < this.#minPartBytes)) {
      throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
    }
    this.checkCondition(bucket, key, condition);
    this.uploads.delete(upload.id);
    const used = new Set(parts);
    await removeFiles([...upload.parts.values()].filter((part) => !used.has(part)));
    const whole = createHash("md5");
    for (const { md5 } of parts) whole.update(md5, "hex");
    const sums = parts.flatMap(({ checksums }) => checksums["x-amz-checksum-sha256"] ?? []);
    const ofSums = createHash("sha256");
    for (const sum of sums) ofSums.update(sum, "base64");
    return this.put(
      bucket,
      {
        key,
        headers,
        etag: `"${whole.digest("hex")}-${parts.length}"`,
        bytes: parts.reduce((total, { bytes }) => total + bytes, 0),
        checksums:
          sums.length === parts.length
            ? {
                "x-amz-checksum-sha256": `${ofSums.digest("base64")}-${parts.length}`,
                "x-amz-checksum-type": "COMPOSITE",
              }
            : {},
        segments: parts.map(({ file, bytes }) => ({ file, bytes })),
      },
      condition,
    );
  }

  /** Changes a byte where it lies. @param at from the end where negative. */
  async corrupt(bucket: string, key: string, at: number): Promise<void> {
    const { segments, bytes } = this.find(bucket, key);
    let offset = at < 0 ? bytes + at : at;
    for (const segment of segments) {
      if (offset < segment.bytes) {
        await using file = await open(segment.file, "r+");
        const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
        await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, offset);
        return;
      }
      offset -= segment.bytes;
    }
    throw new Error(`${key} has no byte ${at}`);
  }
}

/** @param end included. */
export async function* readObject({ segments }: KeptObject, start: number, end: number): AsyncGenerator<Buffer> {
  let offset = 0;
  for (const { file, bytes } of segments) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, bytes - 1);
    if (from <= to) yield* createReadStream(file, { start: from, end: to });
    offset += bytes;
  }
}

function bare(etag: string): string {
  return etag.replaceAll('"', "");
}

async function removeFiles(files: readonly { readonly file: string }[]): Promise<void> {
  await Promise.all(files.map(({ file }) => rm(file, { force: true })));
}
