/** What S3 does for each kind of request, behind the check of its signature. */
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { receiveBody } from "./s3-body.ts";
import { type Condition, type KeptObject, type ObjectHeaders, readObject, type S3Objects } from "./s3-objects.ts";
import { header } from "./s3-signature.ts";
import { document, inElement, inElements, S3Error, type Xml } from "./s3-xml.ts";

export interface S3Request {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly bucket: string;
  /** Empty: of the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** Told how many bytes of a body have come; may throw. */
  readonly onBytes: (bytes: number) => void;
}

export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | AsyncIterable<Buffer>;
}

export interface S3Scene {
  readonly objects: S3Objects;
  /** How many keys a page of a listing has at most. */
  readonly pageSize: number;
}

export function isWrite({ method, query }: S3Request): boolean {
  return method === "PUT" || method === "POST" || method === "DELETE" || query.has("uploads");
}

/** @throws S3Error */
export async function answerS3(scene: S3Scene, asked: S3Request): Promise<S3Answer> {
  const { method, bucket, key, query } = asked;
  const { objects } = scene;
  if (key === "") return answerBucket(scene, asked);
  objects.bucket(bucket);
  const uploadId = query.get("uploadId");
  switch (method) {
    case "PUT":
      if (uploadId !== null) return putPart(objects, asked, uploadId);
      return header(asked.request.headers, "x-amz-copy-source") === "" ? put(objects, asked) : copy(objects, asked);
    case "GET":
      if (uploadId !== null) return listParts(objects, uploadId);
      return get(objects, asked);
    case "HEAD":
      return get(objects, asked);
    case "DELETE":
      if (uploadId === null) await objects.remove(bucket, key);
      else await objects.abort(objects.upload(uploadId));
      return { status: 204 };
    case "POST":
      if (query.has("uploads")) {
        const upload = objects.begin(bucket, key, keptHeaders(asked.request));
        return xml("InitiateMultipartUploadResult", { Bucket: bucket, Key: key, UploadId: upload.id });
      }
      if (uploadId !== null) return complete(objects, asked, uploadId);
  }
  throw new S3Error(501, "NotImplemented", "A header you provided implies functionality that is not implemented");
}

function answerBucket({ objects, pageSize }: S3Scene, { method, bucket, query }: S3Request): S3Answer {
  // Nobody may create or remove a bucket here.
  if (method !== "GET" && method !== "HEAD") throw new S3Error(403, "AccessDenied", "Access Denied");
  objects.bucket(bucket);
  if (method === "HEAD") return { status: 200, headers: { "x-amz-bucket-region": "us-east-1" } };
  if (query.has("uploads")) {
    const prefix = query.get("prefix") ?? "";
    const begun = [...objects.uploads.values()].filter((one) => one.bucket === bucket && one.key.startsWith(prefix));
    return xml("ListMultipartUploadsResult", {
      Bucket: bucket,
      IsTruncated: false,
      Upload: begun.map(({ id, key, begunAt }) => ({ Key: key, UploadId: id, Initiated: begunAt.toISOString() })),
    });
  }
  if (query.get("list-type") !== "2") throw new S3Error(501, "NotImplemented", "Only the second form of a listing.");
  return xml("ListBucketResult", listing(objects.sorted(bucket), bucket, query, pageSize));
}

function listing(objects: readonly KeptObject[], bucket: string, query: URLSearchParams, pageSize: number): Xml {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const token = query.get("continuation-token");
  const after = token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64url").toString();
  const max = Math.min(Number(query.get("max-keys") ?? 1000), 1000, pageSize);
  const contents: Xml[] = [];
  const prefixes: string[] = [];
  let last = "";
  let isTruncated = false;
  for (const { key, bytes, etag, modifiedAt, headers } of objects) {
    if (!key.startsWith(prefix)) continue;
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const name = cut === -1 ? key : key.slice(0, cut + delimiter.length);
    if (Buffer.compare(Buffer.from(name), Buffer.from(after)) <= 0 || prefixes.includes(name)) continue;
    if (contents.length + prefixes.length === max) {
      isTruncated = true;
      break;
    }
    last = name;
    if (cut !== -1) prefixes.push(name);
    else
      contents.push({
        Key: key,
        LastModified: modifiedAt.toISOString(),
        ETag: etag,
        Size: bytes,
        StorageClass: headers["x-amz-storage-class"] ?? "STANDARD",
      });
  }
  return {
    Name: bucket,
    Prefix: prefix,
    MaxKeys: max,
    KeyCount: contents.length + prefixes.length,
    IsTruncated: isTruncated,
    ...(isTruncated ? { NextContinuationToken: Buffer.from(last).toString("base64url") } : {}),
    Contents: contents,
    CommonPrefixes: prefixes.map((one) => ({ Prefix: one })),
  };
}

async function put(objects: S3Objects, { request, bucket, key, onBytes }: S3Request): Promise<S3Answer> {
  objects.checkCondition(bucket, key, condition(request));
  const file = objects.newFile();
  const body = await receiveBody(request, file, onBytes);
  const { etag } = await objects.put(
    bucket,
    {
      key,
      bytes: body.bytes,
      etag: `"${body.md5}"`,
      headers: keptHeaders(request),
      checksums: body.checksums,
      segments: [{ file, bytes: body.bytes }],
    },
    condition(request),
  );
  return { status: 200, headers: { etag, ...body.checksums } };
}

async function putPart(
  objects: S3Objects,
  { request, query, onBytes }: S3Request,
  uploadId: string,
): Promise<S3Answer> {
  const upload = objects.upload(uploadId);
  const number = Number(query.get("partNumber"));
  if (!(number >= 1 && number <= 10_000)) throw new S3Error(400, "InvalidArgument", "Part number must be 1 to 10000");
  if (header(request.headers, "x-amz-copy-source") !== "") {
    const from = copySource(objects, request);
    const { start, end } = range(header(request.headers, "x-amz-copy-source-range"), from.bytes);
    const copied = await objects.copyPart(from, start, end);
    await objects.addPart(upload, number, copied.file, copied);
    return xml("CopyPartResult", { ETag: `"${copied.md5}"` });
  }
  const file = objects.newFile();
  const body = await receiveBody(request, file, onBytes);
  await objects.addPart(upload, number, file, body);
  return { status: 200, headers: { etag: `"${body.md5}"`, ...body.checksums } };
}

async function copy(objects: S3Objects, { request, bucket, key }: S3Request): Promise<S3Answer> {
  const from = copySource(objects, request);
  const replaces = header(request.headers, "x-amz-metadata-directive") === "REPLACE";
  const kept = await objects.put(
    bucket,
    {
      key,
      bytes: from.bytes,
      etag: from.etag,
      checksums: from.checksums,
      // A copy has the storage class and the redirect that it asks for, never those of the original.
      headers: {
        ...(replaces ? {} : { ...withoutRedirect(from.headers), "x-amz-storage-class": "STANDARD" }),
        ...keptHeaders(request),
      },
      segments: await objects.copy(from),
    },
    condition(request),
  );
  return xml("CopyObjectResult", { ETag: kept.etag, LastModified: kept.modifiedAt.toISOString() });
}

function copySource(objects: S3Objects, { headers }: IncomingMessage): KeptObject {
  const source = decodeURIComponent(header(headers, "x-amz-copy-source")).replace(/^\//, "");
  const slash = source.indexOf("/");
  const [bucket, key] = [source.slice(0, slash), source.slice(slash + 1)];
  objects.checkCondition(bucket, key, { ifMatch: header(headers, "x-amz-copy-source-if-match"), ifNoneMatch: "" });
  return objects.find(bucket, key);
}

async function complete(objects: S3Objects, { request, bucket, key }: S3Request, uploadId: string): Promise<S3Answer> {
  const upload = objects.upload(uploadId);
  const parts = inElements(await text(request), "Part").map((part) => ({
    number: Number(inElement(part, "PartNumber")),
    etag: inElement(part, "ETag") ?? "",
    sha256: inElement(part, "ChecksumSHA256"),
  }));
  const { etag } = await objects.complete(upload, parts, condition(request));
  return xml("CompleteMultipartUploadResult", { Bucket: bucket, Key: key, ETag: etag });
}

function listParts(objects: S3Objects, uploadId: string): S3Answer {
  const { id, bucket, key, parts } = objects.upload(uploadId);
  return xml("ListPartsResult", {
    Bucket: bucket,
    Key: key,
    UploadId: id,
    IsTruncated: false,
    Part: [...parts].map(([number, { md5, bytes, modifiedAt }]) => ({
      PartNumber: number,
      ETag: `"${md5}"`,
      Size: bytes,
      LastModified: modifiedAt.toISOString(),
    })),
  });
}

function get(objects: S3Objects, { request, method, bucket, key }: S3Request): S3Answer {
  const object = objects.find(bucket, key);
  const ifMatch = header(request.headers, "if-match");
  if (ifMatch !== "") objects.checkCondition(bucket, key, { ifMatch, ifNoneMatch: "" });
  const { etag } = object;
  if (header(request.headers, "if-none-match") === etag) return { status: 304, headers: { etag } };
  const asked = header(request.headers, "range");
  const { start, end } = range(asked, object.bytes);
  const wantsChecksums = header(request.headers, "x-amz-checksum-mode").toUpperCase() === "ENABLED";
  return {
    status: asked === "" ? 200 : 206,
    headers: {
      ...object.headers,
      ...(wantsChecksums && asked === "" ? object.checksums : {}),
      etag,
      "accept-ranges": "bytes",
      "last-modified": object.modifiedAt.toUTCString(),
      "content-length": end - start + 1,
      ...(asked === "" ? {} : { "content-range": `bytes ${start}-${end}/${object.bytes}` }),
    },
    ...(method === "HEAD" ? {} : { body: readObject(object, start, end) }),
  };
}

/** `bytes=0-99`, `bytes=100-`, `bytes=-100`; the end is included. */
function range(asked: string, bytes: number): { readonly start: number; readonly end: number } {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(asked) ?? [];
  if (first === "" && last === "") return { start: 0, end: bytes - 1 };
  const start = first === "" ? Math.max(bytes - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (start > end) throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable");
  return { start, end };
}

function withoutRedirect({ "x-amz-website-redirect-location": _redirect, ...others }: ObjectHeaders): ObjectHeaders {
  return others;
}

/** What is kept beside an object's bytes. */
function keptHeaders({ headers }: IncomingMessage): ObjectHeaders {
  return Object.fromEntries(
    Object.keys(headers)
      .filter((name) =>
        /^(content-(type|disposition|language)|cache-control|x-amz-(storage-class|website-redirect-location|meta-.*))$/.test(
          name,
        ),
      )
      .map((name) => [name, header(headers, name)]),
  );
}

function condition({ headers }: IncomingMessage): Condition {
  return { ifNoneMatch: header(headers, "if-none-match"), ifMatch: header(headers, "if-match") };
}

function xml(root: string, content: Xml): S3Answer {
  return { status: 200, headers: { "content-type": "application/xml" }, body: document(root, content) };
}
