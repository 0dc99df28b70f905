/** The S3 of the tests answers Amazon's own client as S3 does. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { expect, test } from "vitest";
import { S3_KEY, startS3 } from "../support/s3-server.ts";

const MIB = 1024 ** 2;

function connect(endpoint: string, { accessKey, secretKey } = S3_KEY, checksums = true): S3Client {
  return new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    ...(checksums ? {} : { requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" }),
  });
}

/** `403 SignatureDoesNotMatch` */
async function refusal(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "none";
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return `${error.$metadata.httpStatusCode} ${error.name}`;
  }
}

test("an object is kept with its type and class, read whole and in ranges, copied and removed", async () => {
  await using s3 = await startS3({ buckets: ["b"] });
  const client = connect(s3.endpoint);
  const Key = "a b/ü+&<'~*().txt";
  await client.send(
    new PutObjectCommand({ Bucket: "b", Key, Body: "hello", ContentType: "text/plain", StorageClass: "STANDARD_IA" }),
  );
  expect(s3.objects("b")).toMatchObject([
    { key: Key, bytes: 5, storageClass: "STANDARD_IA", etag: "5d41402abc4b2a76b9719d911017c592" },
  ]);
  const whole = await client.send(new GetObjectCommand({ Bucket: "b", Key }));
  expect(await whole.Body?.transformToString()).toBe("hello");
  expect(whole).toMatchObject({ ContentType: "text/plain", ContentLength: 5 });
  for (const [Range, expected] of [
    ["bytes=1-3", "ell"],
    ["bytes=-2", "lo"],
    ["bytes=3-", "lo"],
  ] as const) {
    const part = await client.send(new GetObjectCommand({ Bucket: "b", Key, Range }));
    expect(await part.Body?.transformToString()).toBe(expected);
  }
  expect(await refusal(client.send(new GetObjectCommand({ Bucket: "b", Key, Range: "bytes=9-" })))).toBe(
    "416 InvalidRange",
  );
  await client.send(new CopyObjectCommand({ Bucket: "b", Key: "copy", CopySource: `b/${encodeURIComponent(Key)}` }));
  await client.send(new DeleteObjectCommand({ Bucket: "b", Key }));
  expect((await s3.read("b", "copy")).toString()).toBe("hello");
  expect(await refusal(client.send(new GetObjectCommand({ Bucket: "b", Key })))).toBe("404 NoSuchKey");
  expect(await refusal(client.send(new HeadObjectCommand({ Bucket: "b", Key })))).toBe("404 NotFound");
});

test.each([true, false])(
  "a stream is kept as it was, in one request and in parts (checksums: %s)",
  async (checksums) => {
    await using s3 = await startS3({ buckets: ["b"] });
    const client = connect(s3.endpoint, S3_KEY, checksums);
    for (const bytes of [0, 3, 12 * MIB + 5]) {
      const content = randomBytes(bytes);
      const Body = Readable.from([content.subarray(0, 2), content.subarray(2)].filter(({ length }) => length > 0));
      await new Upload({ client, params: { Bucket: "b", Key: "k", Body }, partSize: 5 * MIB }).done();
      expect((await s3.read("b", "k")).equals(content)).toBe(true);
    }
    expect(s3.objects("b")[0]?.etag).toMatch(/-3$/);
    await client.send(
      new PutObjectCommand({
        Bucket: "b",
        Key: "framed",
        Body: Readable.from([Buffer.alloc(MIB, 7)]),
        ContentLength: MIB,
      }),
    );
    expect((await s3.read("b", "framed")).equals(Buffer.alloc(MIB, 7))).toBe(true);
  },
);

test("wrong keys, a wrong clock, no right and no bucket are told apart", async () => {
  const reader = { accessKey: "AKIREADER", secretKey: "x", readOnly: true };
  const other = { accessKey: "AKIOTHER", secretKey: "y", buckets: ["other"] };
  await using s3 = await startS3({ buckets: ["b", "other"], keys: [S3_KEY, reader, other] });
  const head = (key: { accessKey: string; secretKey: string }, Bucket = "b") =>
    refusal(connect(s3.endpoint, key).send(new ListObjectsV2Command({ Bucket })));
  expect(await head({ ...S3_KEY, secretKey: "wrong" })).toBe("403 SignatureDoesNotMatch");
  expect(await head({ ...S3_KEY, accessKey: "AKINOBODY" })).toBe("403 InvalidAccessKeyId");
  expect(await head(S3_KEY, "nowhere")).toBe("404 NoSuchBucket");
  expect(await head(other)).toBe("403 AccessDenied");
  expect(await head(reader)).toBe("none");
  const put = new PutObjectCommand({ Bucket: "b", Key: "k", Body: "x" });
  expect(await refusal(connect(s3.endpoint, reader).send(put))).toBe("403 AccessDenied");
  expect(await refusal(connect(s3.endpoint).send(new HeadBucketCommand({ Bucket: "nowhere" })))).toBe("404 NotFound");
  s3.clockAheadMs = 20 * 60_000;
  expect(await head(S3_KEY)).toBe("403 RequestTimeTooSkewed");
});

test("a listing has pages and folders, in the order of bytes", async () => {
  await using s3 = await startS3({ buckets: ["b"], pageSize: 2 });
  const client = connect(s3.endpoint);
  for (const Key of ["a/1", "a/2", "b", "B", "c/1", "é", "a&b"]) {
    await client.send(new PutObjectCommand({ Bucket: "b", Key, Body: "x" }));
  }
  const pages = async (options: { Prefix?: string; Delimiter?: string }): Promise<(string | undefined)[][]> => {
    const found = [];
    let token: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket: "b", ...options, ContinuationToken: token }));
      found.push([
        ...(page.CommonPrefixes ?? []).map((one) => one.Prefix),
        ...(page.Contents ?? []).map((one) => one.Key),
      ]);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  };
  expect(await pages({})).toEqual([["B", "a&b"], ["a/1", "a/2"], ["b", "c/1"], ["é"]]);
  expect(await pages({ Delimiter: "/" })).toEqual([
    ["B", "a&b"],
    ["a/", "b"],
    ["c/", "é"],
  ]);
  expect(await pages({ Prefix: "a/" })).toEqual([["a/1", "a/2"]]);
  expect(await pages({ Prefix: "zz" })).toEqual([[]]);
});

test("wrong checksums, parts and conditions change nothing", async () => {
  await using s3 = await startS3({ buckets: ["b"] });
  const client = connect(s3.endpoint, S3_KEY, false);
  const put = (more: object) => client.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "hello", ...more }));
  expect(await refusal(put({ ContentMD5: "XUFAKrxLKna5cZ2REBfFkg==" }))).toBe("none");
  expect(await refusal(put({ ContentMD5: "AAAAKrxLKna5cZ2REBfFkg==" }))).toBe("400 BadDigest");
  expect(await refusal(put({ ChecksumSHA256: "AAAAunh2JB23B6n4GbY5kYuvxQDIFJa+1TXLeexlVTA=" }))).toBe("400 BadDigest");
  expect(await refusal(put({ ChecksumCRC32: "AAAAAA==" }))).toBe("400 BadDigest");
  expect(await refusal(put({ IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
  expect(await refusal(put({ IfMatch: "nonsense" }))).toBe("412 PreconditionFailed");
  const [kept] = s3.objects("b");
  expect(await refusal(put({ IfMatch: kept?.etag, Body: "bye" }))).toBe("none");
  expect((await s3.read("b", "k")).toString()).toBe("bye");

  const at = { Bucket: "b", Key: "k" };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
  const { ETag } = await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: "part" }));
  await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 2, Body: "part" }));
  const complete = (Parts: { ETag: string | undefined; PartNumber: number }[], more = {}) =>
    refusal(client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts }, ...more })));
  const [first, second] = [1, 2].map((PartNumber) => ({ ETag, PartNumber }));
  if (first === undefined || second === undefined) throw new Error("two parts");
  expect(await complete([second, first])).toBe("400 InvalidPartOrder");
  expect(await complete([{ ...first, ETag: "other" }])).toBe("400 InvalidPart");
  expect(await complete([first, second])).toBe("400 EntityTooSmall");
  expect(await complete([first], { IfNoneMatch: "*" })).toBe("412 PreconditionFailed");
  const listed = await client.send(new ListMultipartUploadsCommand({ Bucket: "b" }));
  expect(listed.Uploads?.map((one) => [one.Key, one.UploadId])).toEqual([["k", UploadId]]);
  await client.send(new AbortMultipartUploadCommand({ ...at, UploadId }));
  expect(s3.openUploads()).toEqual([]);
  expect(await complete([first])).toBe("404 NoSuchUpload");
  expect((await s3.read("b", "k")).toString()).toBe("bye");
});

test("the faults: 503, cuts on the way there and back, a hanging server, a stop and a changed byte", async () => {
  await using s3 = await startS3({ buckets: ["b"] });
  const client = connect(s3.endpoint);
  const put = (Body: Buffer) => client.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body }));
  const get = async () =>
    (await client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }))).Body?.transformToByteArray();
  const content = randomBytes(MIB);
  s3.slowDown(1);
  expect(await refusal(put(content))).toBe("503 SlowDown");
  s3.cutNext("upload", { afterBytes: 1000 });
  await expect(put(content)).rejects.toThrow(/ECONNRESET|EPIPE|socket hang up/);
  expect(s3.objects("b")).toEqual([]);
  s3.cutNext("answer", { key: "k" });
  await expect(put(content)).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect(s3.objects("b")).toHaveLength(1);
  s3.cutNext("download", { afterBytes: 100_000 });
  await expect(get()).rejects.toThrow(/aborted|ECONNRESET/);
  await s3.stop();
  await expect(get()).rejects.toThrow(/ECONNREFUSED/);
  await s3.start();
  expect(content.equals((await get()) ?? Buffer.alloc(0))).toBe(true);
  s3.hangs = true;
  const hung = client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }), { abortSignal: AbortSignal.timeout(100) });
  await expect(hung).rejects.toThrow(/abort/i);
  s3.hangs = false;
  await s3.corrupt("b", "k", -1);
  await expect(get()).rejects.toThrow(/Checksum mismatch/);
  await s3.remove("b", "k");
  expect(await refusal(get())).toBe("404 NoSuchKey");
});
