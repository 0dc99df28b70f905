/** A bucket as releases and backups use it, and what becomes of it when the server or the way there fails. */
import { createHash, randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { inspect } from "node:util";
import { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { newClient, S3_SETTINGS, type S3Settings } from "../../../adapters/s3/client.ts";
import { openS3 } from "../../../adapters/s3/index.ts";
import { type Bucket, Secret } from "../../../src/config.ts";
import { describeError, RuntimeError } from "../../../src/errors.ts";
import { type ObjectStore, PreconditionError, type PutOptions, type StoredObject } from "../../../src/object-store.ts";
import { freePort } from "../../support/loopback.ts";
import { testBucket } from "../../support/s3-bucket.ts";
import { S3_KEY, type S3Options, type S3TestServer, startS3 } from "../../support/s3-server.ts";
import { waitFor } from "../../support/wait-for.ts";

const MIB = 1024 ** 2;
const QUICK: S3Settings = { ...S3_SETTINGS, attempts: 4, connectMs: 2_000, idleMs: 2_000 };
const never = new AbortController().signal;

async function openTest(
  options: Partial<S3Options> = {},
  more: Partial<Bucket> = {},
  settings: S3Settings = QUICK,
): Promise<AsyncDisposable & { readonly s3: S3TestServer; readonly store: ObjectStore }> {
  const s3 = await startS3({ buckets: ["b"], ...options });
  const store = openS3(testBucket(s3, "b", more), settings);
  return {
    s3,
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await s3[Symbol.asyncDispose]();
    },
  };
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** As it comes from a file. */
function stream(content: Buffer): Readable {
  const pieces = [];
  for (let at = 0; at < content.length; at += 65_536) pieces.push(content.subarray(at, at + 65_536));
  return Readable.from(pieces);
}

async function read(store: ObjectStore, key: string): Promise<Buffer> {
  const found = await store.get(key, never);
  if (found === undefined) throw new Error(`no ${key}`);
  return buffer(found.content);
}

async function failureOf(asked: Promise<unknown>): Promise<RuntimeError> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test.each([
  ["nothing", 0],
  ["a few bytes", 5],
  ["several parts", 20 * MIB + 1],
])("%s: put as a stream, looked at, read, listed, copied and removed", async (_name, bytes) => {
  await using scene = await openTest({ pageSize: 2 }, { storageClass: "STANDARD_IA" });
  const { s3, store } = scene;
  expect(store.name).toBe("s3://b");
  const content = randomBytes(bytes);
  const progress: number[] = [];
  const put = await store.put(
    "docker/1.0/a ü&.tgz",
    stream(content),
    { contentType: "application/gzip", sha256: sha256(content), onProgress: (sent) => progress.push(sent) },
    never,
  );
  expect(put).toMatchObject({ key: "docker/1.0/a ü&.tgz", bytes });
  expect(progress.at(-1)).toBe(bytes);
  expect(await store.head(put.key, never)).toEqual(put);
  expect((await read(store, put.key)).equals(content)).toBe(true);
  await store.copy(put.key, "latest.tgz", never);
  expect((await read(store, "latest.tgz")).equals(content)).toBe(true);
  expect(s3.objects("b").map(({ storageClass, headers }) => [storageClass, headers["content-type"]])).toEqual([
    ["STANDARD_IA", "application/gzip"],
    ["STANDARD_IA", "application/gzip"],
  ]);
  for (const key of ["docker/1", "docker/2", "docker/3"]) await store.put(key, Buffer.from("x"), {}, never);
  const listed: StoredObject[] = [];
  for await (const one of store.list("docker/", never)) listed.push(one);
  expect(listed.map(({ key }) => key)).toEqual(["docker/1", "docker/1.0/a ü&.tgz", "docker/2", "docker/3"]);
  expect(listed[1]).toMatchObject({ bytes, etag: put.etag });
  await store.remove(put.key, never);
  await store.remove(put.key, never);
  expect(await store.head(put.key, never)).toBeUndefined();
  expect(await store.get(put.key, never)).toBeUndefined();
  expect(s3.openUploads()).toEqual([]);
});

test("an object that leads elsewhere says where to, until it is put without that; a copy of it leads nowhere (O-94)", async () => {
  await using scene = await openTest();
  const { store } = scene;
  const put = await store.put("info", Buffer.alloc(0), { redirect: "/builds/" }, never);
  expect(put).toMatchObject({ key: "info", bytes: 0, redirect: "/builds/" });
  await store.copy("info", "copy", never);
  expect((await store.head("copy", never))?.redirect).toBeUndefined();
  await store.put("info", Buffer.from("x"), {}, never);
  expect(await store.head("info", never)).not.toHaveProperty("redirect");
});

test("what is too large for one copy is copied in parts, with its type", async () => {
  await using scene = await openTest({}, {}, { ...QUICK, copyAtOnceBytes: 6 * MIB, copyPartBytes: 5 * MIB });
  const content = randomBytes(12 * MIB);
  const options = { sha256: sha256(content), contentType: "application/gzip" };
  await scene.store.put("from", content, options, never);
  await scene.store.copy("from", "a/to", never);
  expect((await read(scene.store, "a/to")).equals(content)).toBe(true);
  expect(scene.s3.objects("b")[0]).toMatchObject({ etag: expect.stringMatching(/-3$/) });
  expect(scene.s3.objects("b")[0]?.headers["content-type"]).toBe("application/gzip");
  await expect(scene.store.copy("none", "to", never)).rejects.toThrow("s3://b: there is no none to be copied");
});

test("100 MB pass through in a bounded memory", async () => {
  await using scene = await openTest();
  const chunk = randomBytes(MIB);
  const before = process.memoryUsage().rss;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  const source = Readable.from(
    (function* () {
      for (let count = 0; count < 100; count += 1) yield chunk;
    })(),
  );
  await scene.store.put("large", source, {}, never);
  let bytes = 0;
  const found = await scene.store.get("large", never);
  for await (const piece of found?.content ?? []) bytes += piece.length;
  clearInterval(watch);
  expect(bytes).toBe(100 * MIB);
  // The server is in this process too.
  expect((peak - before) / MIB).toBeLessThan(80);
});

test("only one of two who put what is not there yet wins, and an etag guards what is", async () => {
  await using scene = await openTest();
  const { s3, store } = scene;
  const both = await Promise.allSettled(
    ["one", "two"].map((word) => store.put("lock", Buffer.from(word), { onlyIf: "absent" }, never)),
  );
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const lost = both.find((one) => one.status === "rejected");
  expect(lost?.reason).toBeInstanceOf(PreconditionError);

  const { etag } = await store.put("latest", Buffer.from("1"), {}, never);
  await store.put("latest", Buffer.from("2"), { onlyIf: { etag } }, never);
  await expect(store.put("latest", Buffer.from("3"), { onlyIf: { etag } }, never)).rejects.toThrow(PreconditionError);
  await expect(store.put("none", Buffer.from("3"), { onlyIf: { etag } }, never)).rejects.toThrow(PreconditionError);
  expect((await s3.read("b", "latest")).toString()).toBe("2");

  const large = randomBytes(12 * MIB);
  await store.put("large", stream(large), { onlyIf: "absent" }, never);
  await expect(store.put("large", stream(large), { onlyIf: "absent" }, never)).rejects.toThrow(PreconditionError);
  expect(s3.openUploads()).toEqual([]);
});

test.each([5, 12 * MIB])("whose put succeeded hears so, though its first answer was lost (%i bytes)", async (bytes) => {
  await using scene = await openTest();
  const { s3, store } = scene;
  // Of an upload in parts: the answers to its beginning, to a part and to its completion.
  s3.cutNext("answer", { times: bytes > MIB ? 3 : 1 });
  if (bytes > MIB) {
    await store.put("parts", stream(randomBytes(bytes)), {}, never);
    await waitFor("the completion", () => s3.objects("b").length === 1);
    expect(s3.openUploads()).toEqual([]);
  }
  s3.cutNext("answer", { key: "lock", times: 1 });
  const put = await store.put("lock", randomBytes(5), { onlyIf: "absent" }, never);
  expect(put.bytes).toBe(5);
});

test("the answer to a completion is lost: the object is there, and the put says so", async () => {
  await using scene = await openTest();
  const { s3, store } = scene;
  let parts = 0;
  const content = randomBytes(12 * MIB);
  const options: PutOptions = {
    onProgress() {
      parts += 1;
      if (parts === 2) s3.cutNext("answer", { key: "k" });
    },
  };
  await store.put("k", stream(content), options, never);
  expect(s3.requests.filter(({ method, query }) => method === "POST" && "uploadId" in query)).toHaveLength(2);
  expect((await s3.read("b", "k")).equals(content)).toBe(true);
});

test("503 and broken connections are tried again, and content goes on where it broke", async () => {
  await using scene = await openTest();
  const { s3, store } = scene;
  const content = randomBytes(20 * MIB);
  s3.slowDown(2);
  s3.cutNext("upload", { afterBytes: MIB });
  s3.cutNext("upload", { afterBytes: 0 });
  await store.put("k", stream(content), { sha256: sha256(content) }, never);
  expect(s3.openUploads()).toEqual([]);
  s3.cutNext("download", { afterBytes: 3 * MIB });
  s3.cutNext("download", { afterBytes: 2 * MIB });
  s3.slowDown(1);
  expect((await read(store, "k")).equals(content)).toBe(true);
  const ranges = s3.requests.filter(({ method, headers }) => method === "GET" && headers.range !== undefined);
  expect(ranges).toHaveLength(2);
});

test("a server that only asks for patience is given up, with nothing left there", async () => {
  await using scene = await openTest({}, {}, { ...QUICK, attempts: 2 });
  const { s3, store } = scene;
  s3.slowDown(1_000);
  const failure = await failureOf(store.put("k", stream(randomBytes(12 * MIB)), {}, never));
  expect(failure).toMatchObject({
    message: "s3://b: the server asks for patience (503 SlowDown)",
    retryable: true,
  });
  s3.slowDown(0);
  expect([s3.objects("b"), s3.openUploads()]).toEqual([[], []]);
});

test("a source that fails, other content than announced and an abort leave neither object nor upload", async () => {
  await using scene = await openTest();
  const { s3, store } = scene;
  const broken = Readable.from(
    (async function* () {
      yield randomBytes(20 * MIB);
      throw new Error("the disk is gone");
    })(),
  );
  await expect(store.put("k", broken, {}, never)).rejects.toThrow("the disk is gone");
  for (const bytes of [10, 12 * MIB]) {
    const failure = await failureOf(
      store.put("k", stream(randomBytes(bytes)), { sha256: sha256(Buffer.from("other")) }, never),
    );
    expect(failure.message).toBe("s3://b/k: what was to be stored is not what was announced");
  }
  const aborting = new AbortController();
  const silent = new PassThrough();
  silent.write(randomBytes(17 * MIB));
  const reason = new Error("somebody stopped it");
  const put = store.put("k", silent, { onProgress: () => aborting.abort(reason) }, aborting.signal);
  await expect(put).rejects.toBe(reason);
  expect(silent.destroyed).toBe(true);
  expect([s3.objects("b"), s3.openUploads()]).toEqual([[], []]);
});

test("a hanging server is given up; whoever aborts does not wait for it", async () => {
  await using scene = await openTest({}, {}, { ...QUICK, attempts: 2, idleMs: 300 });
  const { s3, store } = scene;
  await store.put("k", Buffer.from("x"), {}, never);
  s3.hangs = true;
  expect((await failureOf(store.head("k", never))).message).toBe(`s3://b: ${s3.endpoint} does not answer in time`);
  const reason = new Error("stopped");
  for (const asked of [
    (signal: AbortSignal) => store.head("k", signal),
    (signal: AbortSignal) => store.put("k", Buffer.from("y"), {}, signal),
  ]) {
    const aborting = new AbortController();
    const count = s3.requests.length;
    const answer = asked(aborting.signal);
    await waitFor("the question", () => s3.requests.length > count);
    aborting.abort(reason);
    await expect(answer).rejects.toBe(reason);
  }
});

test("whoever has read enough of an object may leave", async () => {
  await using scene = await openTest({}, {}, { ...QUICK, idleMs: 60_000 });
  await scene.store.put("k", randomBytes(20 * MIB), {}, never);
  for (const abort of [true, false]) {
    const aborting = new AbortController();
    const found = await scene.store.get("k", aborting.signal);
    const ended = expect(
      (async () => {
        for await (const _chunk of found?.content ?? []) {
          if (!abort) break;
          aborting.abort(new Error("stopped"));
        }
      })(),
    );
    await (abort ? ended.rejects.toThrow("stopped") : ended.resolves.toBeUndefined());
    expect(found?.content.destroyed).toBe(true);
  }
});

test("what changed behind the back is not handed out as if it were right", async () => {
  await using scene = await openTest();
  const { s3, store } = scene;
  const content = randomBytes(12 * MIB);
  await store.put("small", Buffer.from("hello"), {}, never);
  await store.put("large", stream(content), { sha256: sha256(content) }, never);
  for (const key of ["small", "large"]) {
    await s3.corrupt("b", key, -1);
    const failure = await failureOf(read(store, key));
    expect(failure).toMatchObject({
      message: `s3://b/${key}: what is served is not what was stored`,
      retryable: false,
    });
  }
  await s3.remove("b", "small");
  expect(await store.get("small", never)).toBeUndefined();
});

test("uploads of a process that was killed are found and ended, younger ones are left", async () => {
  await using scene = await openTest();
  const { s3, store } = scene;
  s3.cutNext("upload", { times: 100 });
  // The server is gone before the upload can be aborted: as good as a kill.
  const put = store.put("docker/1.0/x", stream(randomBytes(12 * MIB)), {}, never);
  await waitFor("an upload", () => s3.openUploads().length === 1);
  await s3.stop();
  await expect(put).rejects.toThrow("nobody answers");
  await s3.start();
  expect(await store.abandonUploads("docker/", new Date(0), never)).toBe(0);
  expect(await store.abandonUploads("registry/", new Date(Date.now() + 1000), never)).toBe(0);
  expect(await store.abandonUploads("docker/", new Date(Date.now() + 1000), never)).toBe(1);
  expect(s3.openUploads()).toEqual([]);
});

test("a probe sees whether one may write, writes nothing and never makes a bucket (O-93)", async () => {
  const reader = { ...S3_KEY, accessKey: "AKIREADER", readOnly: true };
  await using scene = await openTest({ keys: [S3_KEY, reader] });
  const { s3, store } = scene;
  await store.probe(never);
  expect([s3.objects("b"), s3.openUploads()]).toEqual([[], []]);
  await using mayRead = openS3(testBucket(s3, "b", { accessKey: new Secret("AKIREADER") }), QUICK);
  expect((await failureOf(mayRead.probe(never))).message).toBe("s3://b: the access key may not write there");
  await using elsewhere = openS3(testBucket(s3, "nowhere"), QUICK);
  const missing = `s3://nowhere: there is no such bucket at ${s3.endpoint}; docker-ci never makes one`;
  expect((await failureOf(elsewhere.probe(never))).message).toBe(missing);
  expect((await failureOf(elsewhere.head("k", never))).message).toBe(missing);
  expect((await failureOf(elsewhere.put("k", Buffer.from("x"), {}, never))).message).toBe(missing);
  expect(s3.requests.filter(({ method, key }) => method === "PUT" && key === "")).toEqual([]);
});

test("a probe ends what one before it left that was killed in the middle", async () => {
  await using scene = await openTest();
  const { s3, store } = scene;
  const client = newClient(testBucket(s3, "b"), QUICK);
  await client.send(new CreateMultipartUploadCommand({ Bucket: "b", Key: ".docker-ci-probe" }));
  await client.send(new CreateMultipartUploadCommand({ Bucket: "b", Key: ".docker-ci-probe.of-somebody" }));
  client.destroy();
  await store.probe(never);
  expect(s3.openUploads().map(({ key }) => key)).toEqual([".docker-ci-probe.of-somebody"]);
});

test("what is configured wrongly is told in a sentence, without a secret", async () => {
  await using scene = await openTest();
  const { s3 } = scene;
  const secret = "not/the+secret+key";
  const nobody = await freePort();
  const cases: [Partial<Bucket>, string | RegExp][] = [
    [{ secretKey: new Secret(secret) }, "s3://b: the secret key does not fit the access key"],
    [{ accessKey: new Secret("AKINOBODY") }, "s3://b: the access key is not known there"],
    [{ endpoint: `http://127.0.0.1:${nobody}` }, `s3://b: nobody answers at http://127.0.0.1:${nobody} (ECONNREFUSED)`],
    [{ endpoint: "http://nowhere.invalid" }, /^s3:\/\/b: there is no host nowhere\.invalid \((ENOTFOUND|EAI_AGAIN)\)$/],
    [{ endpoint: s3.endpoint.replace("http:", "https:") }, /does not speak TLS there; should it be http:\/\/\?$/],
  ];
  for (const [more, sentence] of cases) {
    await using store = openS3(testBucket(s3, "b", more), { ...QUICK, attempts: 2 });
    for (const asked of [() => store.head("k", never), () => store.put("k", Buffer.from("x"), {}, never)]) {
      const failure = await failureOf(asked());
      if (typeof sentence === "string") expect(failure.message).toBe(sentence);
      else expect(failure.message).toMatch(sentence);
      for (const seen of [describeError(failure), inspect(failure, { depth: 9, showHidden: true })]) {
        expect(seen).not.toContain(secret);
        expect(seen).not.toContain(S3_KEY.secretKey);
        expect(seen).not.toContain("AKINOBODY");
      }
    }
  }
});

test("a clock that is wrong mends itself where the server tells the time", async () => {
  await using scene = await openTest();
  scene.s3.clockAheadMs = 3_600_000;
  await scene.store.put("k", Buffer.from("x"), {}, never);
  expect(scene.s3.objects("b")).toHaveLength(1);
});
