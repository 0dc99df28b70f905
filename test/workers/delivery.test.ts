/** What a worker's builds leave behind comes to the bot: by its page with a token, or by a bucket. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openS3 } from "../../adapters/s3/index.ts";
import type { Build, FinalState } from "../../src/builds/build.ts";
import { isFinished } from "../../src/builds/build.ts";
import { resultLine } from "../../src/builds/describe.ts";
import { Secret } from "../../src/config.ts";
import { createBringing } from "../../src/delivery/bring.ts";
import { bucketDepot } from "../../src/delivery/bucket-depot.ts";
import { type Delivery, openDelivery } from "../../src/delivery/delivery.ts";
import { type Depot, SupersededError } from "../../src/delivery/depot.ts";
import { httpDepot } from "../../src/delivery/http-depot.ts";
import { makeWorkerToken, revokeWorkerToken } from "../../src/delivery/worker-tokens.ts";
import { capturedLog } from "../support/captured-log.ts";
import { ago, clock, openRecords, type Records } from "../support/records.ts";
import { testBucket } from "../support/s3-bucket.ts";
import { startS3 } from "../support/s3-server.ts";
import { serveWeb } from "../support/served-web.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const never = new AbortController().signal;
const PASSED: FinalState = { kind: "passed", startedAt: ago(5), finishedAt: ago(0) };
const FILES = {
  "logs/1.log.gz": "the log",
  "results/1/tests.tests.jsonl.gz": "tests",
  "artifacts/1/dist/a b/ä%2f.tgz": "x".repeat(300_000),
  "coverage/hello/1/index.html": "<p>covered",
  "coverage/hello/hello-20140301120000.build": "1\n",
  "coverage/hello/hello-of-another.build": "7\n",
};

interface Scene extends AsyncDisposable {
  readonly records: Records;
  readonly url: string;
  readonly token: string;
  /** The worker's data folder. */
  readonly elsewhere: string;
  /** What was said at its start. */
  readonly warnings: readonly string[];
  deliver(depot: Depot | undefined): Delivery;
  begin(): Promise<Build>;
}

async function openScene(): Promise<Scene> {
  const records = await openRecords();
  const config = { ...records.config, dataDir: records.dataDir };
  const served = await serveWeb(records, { config });
  const folder = await temporaryFolder();
  const opened: Delivery[] = [];
  const warnings: string[] = [];
  return {
    records,
    warnings,
    url: served.url,
    token: await makeWorkerToken(records.redis.commands, "big-1", clock),
    elsewhere: folder.path,
    deliver(depot) {
      const { log } = capturedLog();
      const warn = (text: string): void => void warnings.push(text);
      const worker = { worker: "big-1", warn };
      const scene = { dataDir: folder.path, store: records.store, depot, log, ...worker, laterMs: 50, delaysMs: [10] };
      const delivery = openDelivery(scene);
      opened.push(delivery);
      return delivery;
    },
    async begin() {
      for (const [name, text] of Object.entries(FILES)) {
        const file = join(folder.path, "docker-ci", name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
      return again(records, await records.create("hello"), "big-1");
    },
    async [Symbol.asyncDispose]() {
      for (const delivery of opened) await delivery[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}

/** A worker begins it, or begins it anew. */
async function again({ store }: Records, build: Build, worker: string): Promise<Build> {
  const state = { kind: "running", startedAt: ago(60), worker } as const;
  const ranOn = { worker, instance: `of-${worker}` };
  const begun = await store.transition(build, state, { attempt: build.attempt + 1, ranOn });
  if (begun === undefined) throw new Error("somebody else was quicker");
  return begun;
}

const at = (dataDir: string, name: string): string => join(dataDir, "docker-ci", name);
const textOf = (dataDir: string, name: string): Promise<string> => readFile(at(dataDir, name), "utf8");

describe("to the page", () => {
  test("a worker with a token that nobody has, or that is another's, says so when it starts", async () => {
    await using scene = await openScene();
    const { redis } = scene.records;
    scene.deliver(httpDepot(scene.url, new Secret(scene.token)));
    scene.deliver(httpDepot(scene.url, new Secret("x".repeat(40))));
    await waitFor("a word about it", () => scene.warnings.length > 0);
    expect(scene.warnings).toEqual([
      `what builds leave stays here for now: ${scene.url} says 401: No worker has that token; docker-ci worker-token makes one.`,
    ]);
    const others = new Secret(await makeWorkerToken(redis.commands, "big-2", clock));
    const build = await scene.begin();
    const delivery = scene.deliver(httpDepot(scene.url, others));
    await waitFor("a word about that", () => scene.warnings.length > 1);
    expect(scene.warnings[1]).toBe(
      "what builds leave stays here for now: worker_token is that of big-2, and worker_name is big-1",
    );
    // Its builds end all the same, and say what is missing.
    expect(await delivery.deliver(build, never)).toBe(
      `${scene.url} says 403: The token is that of big-2, and #1 is on big-1.`,
    );
  });

  test("everything comes, whole and in its place; after the end it goes from the worker, but for the results", async () => {
    await using scene = await openScene();
    const { records, elsewhere } = scene;
    const build = await scene.begin();
    await mkdir(at(records.dataDir, "artifacts/1"), { recursive: true });
    await writeFile(at(records.dataDir, "artifacts/1/of-an-earlier-attempt"), "");
    const delivery = scene.deliver(httpDepot(scene.url, new Secret(scene.token)));
    expect(await delivery.deliver(build, never)).toBeUndefined();
    const { "coverage/hello/hello-of-another.build": _, ...mine } = FILES;
    for (const [name, text] of Object.entries(mine)) expect(await textOf(records.dataDir, name)).toBe(text);
    expect(existsSync(at(records.dataDir, "coverage/hello/hello-of-another.build"))).toBe(false);
    expect(existsSync(at(records.dataDir, "artifacts/1/of-an-earlier-attempt"))).toBe(false);

    const over = await records.end(build, PASSED);
    await writeFile(at(elsewhere, "coverage/hello/1/drawn.html"), "later");
    await delivery.settle(over);
    expect(await textOf(records.dataDir, "coverage/hello/1/drawn.html")).toBe("later");
    expect(await textOf(records.dataDir, "logs/1.log.gz")).toBe("the log");
    expect(existsSync(at(elsewhere, "artifacts/1"))).toBe(false);
    expect(existsSync(at(elsewhere, "logs/1.log.gz"))).toBe(false);
    expect(existsSync(at(elsewhere, "results/1"))).toBe(true);
  });

  test("a bot that is away is told with the end, and gets everything when it is back", async () => {
    await using scene = await openScene();
    const { records } = scene;
    const build = await scene.begin();
    const real = httpDepot(scene.url, new Secret(scene.token));
    const nobody = httpDepot("http://127.0.0.1:1", new Secret(scene.token));
    let away = true;
    const delivery = scene.deliver({
      ...real,
      begin: (...given) => (away ? nobody : real).begin(...given),
    });
    const undelivered = await delivery.deliver(build, never);
    expect(undelivered).toMatch(/^http:\/\/127\.0\.0\.1:1 does not answer \(.*\)$/);
    const results = { undelivered: undelivered ?? "" };
    const over = await records.store.transition(build, PASSED, { results });
    if (over === undefined || !isFinished(over)) throw new Error("it is over");
    expect(resultLine(over, "https://ci").facts.at(-1)).toBe(`its log and files are still on big-1: ${undelivered}`);
    await delivery.settle(over);
    away = false;
    await waitFor("the files to come", () => existsSync(at(records.dataDir, "coverage/hello/1/index.html")));
    await waitFor("the note to go", () => !existsSync(at(scene.elsewhere, "undelivered/1.json")));
    expect(await textOf(records.dataDir, "logs/1.log.gz")).toBe("the log");
  });

  test("a note of it that a power cut made unreadable keeps nothing back: all of it is brought anew", async () => {
    await using scene = await openScene();
    const { records } = scene;
    const build = await scene.begin();
    const note = at(scene.elsewhere, "undelivered/1.json");
    await mkdir(dirname(note), { recursive: true });
    await writeFile(note, "\0\0\0");
    await records.store.transition(build, PASSED, { results: { undelivered: "the bot is away" } });
    scene.deliver(httpDepot(scene.url, new Secret(scene.token)));
    await waitFor("the note to go", () => !existsSync(note));
    expect(await textOf(records.dataDir, "logs/1.log.gz")).toBe("the log");
  });

  test("an attempt that was overtaken writes nothing over the new one, and its files are forgotten", async () => {
    await using scene = await openScene();
    const { records, elsewhere } = scene;
    const first = await scene.begin();
    const delivery = scene.deliver(httpDepot(scene.url, new Secret(scene.token)));
    const second = await again(records, first, "big-2");
    await mkdir(at(records.dataDir, "logs"), { recursive: true });
    await writeFile(at(records.dataDir, "logs/1.log.gz"), "of the second");
    await expect(delivery.deliver(first, never)).rejects.toThrow(SupersededError);
    await delivery.forget(first);
    expect(await textOf(records.dataDir, "logs/1.log.gz")).toBe("of the second");
    expect(existsSync(at(elsewhere, "artifacts/1"))).toBe(false);
    expect(second.attempt).toBe(2);
  });

  test("a token is one worker's, for its own builds; one that was revoked or guessed is none (O-12)", async () => {
    await using scene = await openScene();
    const { redis } = scene.records;
    const build = await scene.begin();
    const send = (token: string, path = "log.gz", more: Record<string, string> = {}) =>
      fetch(`${scene.url}/worker/files/1/${build.attempt}/${path}`, {
        method: "PUT",
        body: "abc",
        headers: {
          authorization: `Bearer ${token}`,
          "x-bytes": "3",
          "x-sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          ...more,
        },
      });
    expect((await send(scene.token)).status).toBe(201);
    expect((await send(await makeWorkerToken(redis.commands, "big-2", clock))).status).toBe(403);
    expect((await send("big-1.guessed")).status).toBe(401);
    expect((await send("")).status).toBe(401);
    for (const path of [
      "results/../../../../x",
      "results/%2e%2e%2fx",
      "results/a%2f..%2f..%2fx",
      "other/x",
      "names/..%2fx",
      "results/",
    ]) {
      expect((await send(scene.token, path)).status, path).toBeGreaterThanOrEqual(400);
    }
    expect((await send(scene.token, "results/a", { "x-bytes": "4" })).status).toBe(422);
    expect((await send(scene.token, "results/a", { "x-bytes": "2" })).status).toBe(422);
    expect((await send(scene.token, "results/a", { "x-sha256": "0".repeat(64) })).status).toBe(422);
    expect(existsSync(at(scene.records.dataDir, "results/1/a"))).toBe(false);
    const fresh = await makeWorkerToken(redis.commands, "big-1", clock);
    expect((await send(scene.token)).status).toBe(401);
    expect((await send(fresh)).status).toBe(201);
    await revokeWorkerToken(redis.commands, "big-1");
    expect((await send(fresh)).status).toBe(401);
  });

  test("results of an earlier build are fetched to be compared with, and no artifact is handed out", async () => {
    await using scene = await openScene();
    const { records } = scene;
    const base = await records.create("hello");
    await mkdir(at(records.dataDir, "results/1"), { recursive: true });
    await writeFile(at(records.dataDir, "results/1/tests.tests.jsonl.gz"), "of the base");
    const delivery = scene.deliver(httpDepot(scene.url, new Secret(scene.token)));
    await delivery.bringResults(base.number);
    expect(await textOf(scene.elsewhere, "results/1/tests.tests.jsonl.gz")).toBe("of the base");
    await mkdir(at(records.dataDir, "artifacts/1"), { recursive: true });
    await writeFile(at(records.dataDir, "artifacts/1/a"), "");
    const headers = { authorization: `Bearer ${scene.token}` };
    expect((await fetch(`${scene.url}/worker/files/1/0/artifacts/a`, { headers })).status).toBe(404);
  });

  test("without a token or a bucket all stays, and that is said", async () => {
    await using scene = await openScene();
    const build = await scene.begin();
    const delivery = scene.deliver(undefined);
    expect(await delivery.deliver(build, never)).toBe("worker_token and store are missing in its configuration");
    await delivery.settle(build);
    expect(await textOf(scene.elsewhere, "logs/1.log.gz")).toBe("the log");
  });
});

describe("by a bucket", () => {
  test("the bot fetches what somebody looks at, into its data folder", async () => {
    await using scene = await openScene();
    const { records } = scene;
    const build = await scene.begin();
    await using s3 = await startS3({ buckets: ["ci-files"] });
    // The worker's and the bot's: each has its own way to the bucket.
    const open = () => openS3(testBucket(s3, "ci-files"));
    await using theirs = open();
    await using ours = open();
    const delivery = scene.deliver(bucketDepot("s3://ci-files", async () => theirs));
    expect(await delivery.deliver(build, never)).toBeUndefined();
    const over = await records.end(build, PASSED);
    await delivery.settle(over);
    const bring = createBringing({
      dataDir: records.dataDir,
      instance: "of-the-bot",
      store: records.store,
      log: records.log,
      open: async () => ours,
    });
    await Promise.all([bring(1, "log"), bring(1, "log")]);
    expect(await textOf(records.dataDir, "logs/1.log.gz")).toBe("the log");
    expect(existsSync(at(records.dataDir, "artifacts/1"))).toBe(false);
    await bring(1, "artifacts");
    await bring(1, "coverage");
    expect(await textOf(records.dataDir, "artifacts/1/dist/a b/ä%2f.tgz")).toBe("x".repeat(300_000));
    expect(await textOf(records.dataDir, "coverage/hello/hello-20140301120000.build")).toBe("1\n");
    await bring(99, "log");
  });
});
