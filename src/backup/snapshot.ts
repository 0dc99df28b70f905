/**
 * The records at one moment, while builds go on. redis-cli takes a dump as a replica would, which is of one moment and works for a
 * Redis on another machine too (BGSAVE would leave its file there). A redis-server of our own reads the dump, so that what is asked
 * then stands still and troubles nobody.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import { AUDIT_LIST } from "../audit/audit.ts";
import { ALL } from "../builds/history.ts";
import type { Config } from "../config.ts";
import { describeError, RuntimeError } from "../errors.ts";
import { isMissing } from "../missing.ts";
import { BuildNumber } from "../names.ts";
import { socketPathFor } from "../queue/embedded-redis.ts";
import { RECORDS_ENTRY, type RecordsSummary } from "./format.ts";
import { lastingValues } from "./keys.ts";
import { lineOf, readRecords } from "./records.ts";
import { startScratchRedis } from "./scratch-redis.ts";

const run = promisify(execFile);

export interface Snapshot {
  /** The records, as lines. */
  readonly file: string;
  readonly summary: RecordsSummary;
  /** Of what lasts in them. */
  readonly content: string;
}

/** @param folder an empty one, for what it makes. @throws RuntimeError where Redis does not give a dump. */
export async function takeSnapshot(
  config: Pick<Config, "redis" | "dataDir">,
  folder: string,
  signal: AbortSignal,
): Promise<Snapshot> {
  const scratch = join(folder, "redis");
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  await dump(config, join(scratch, "dump.rdb"), signal);
  await using server = await startScratchRedis(scratch, { database: databaseOf(config.redis) });
  const snapshot = await writeRecordsFile(server.redis, join(folder, RECORDS_ENTRY), signal);
  await rm(join(scratch, "dump.rdb"));
  return snapshot;
}

/** All records of a Redis that stands still. */
export async function writeRecordsFile(redis: Redis, file: string, signal: AbortSignal): Promise<Snapshot> {
  const content = createHash("sha256");
  const summary = await summaryOf(redis);
  let keys = 0;
  let last: string | undefined;
  async function* lines(): AsyncGenerator<string, void, undefined> {
    for await (const record of readRecords(redis)) {
      if (record.key !== last) keys += 1;
      last = record.key;
      const lasting = lastingValues(record.key, record.values, record.expiresAt);
      if (lasting !== undefined && lasting.length > 0)
        content.update(JSON.stringify([record.key, record.type, lasting]));
      yield lineOf(record);
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(file, { mode: 0o600 }), { signal });
  return { file, summary: { ...summary, keys }, content: content.digest("hex") };
}

/** How many there are of what is counted, without the keys. */
async function summaryOf(redis: Redis): Promise<Omit<RecordsSummary, "keys">> {
  const [builds, [newest], audit] = [
    await redis.zcard(ALL),
    await redis.zrange(ALL, "-1", "-1"),
    await redis.llen(AUDIT_LIST),
  ];
  return { builds, audit, ...(newest === undefined ? {} : { newest: BuildNumber.parse(Number(newest)) }) };
}

async function dump(config: Pick<Config, "redis" | "dataDir">, file: string, signal: AbortSignal): Promise<void> {
  const { where, env } = addressOf(config);
  try {
    // A replica that comes alone is served at once by our own; of another's settings nothing is changed.
    if (config.redis.kind === "embedded") {
      await run("redis-cli", [...where, "config", "set", "repl-diskless-sync-delay", "0"], { env, signal });
    }
    await run("redis-cli", [...where, "--rdb", file], { env, signal });
    await using dumped = await open(file);
    const magic = Buffer.alloc(5);
    await dumped.read(magic, 0, 5, 0);
    if (magic.toString("latin1") !== "REDIS") throw new Error("what came is no dump");
  } catch (cause) {
    signal.throwIfAborted();
    const reason = isMissing(cause) ? "redis-cli is not installed" : lastLine(cause);
    throw new RuntimeError(`Redis gave no dump of its records (${reason})`, { cause });
  }
}

/** redis-cli says in its last line what is wrong; the rest is its command line, which may hold an address. */
function lastLine(error: unknown): string {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  return said === "" ? (describeError(error).split("\n")[0] ?? "") : (said.split("\n").at(-1) ?? "");
}

/** The password goes by the environment, where no list of processes shows it. */
function addressOf({ redis, dataDir }: Pick<Config, "redis" | "dataDir">): { where: string[]; env: NodeJS.ProcessEnv } {
  const env = { PATH: process.env.PATH };
  if (redis.kind === "embedded") return { where: ["-s", socketPathFor(join(dataDir, "redis"))], env };
  const url = new URL(redis.url.reveal());
  const where = ["-h", url.hostname, "-p", url.port === "" ? "6379" : url.port];
  if (url.protocol === "rediss:") where.push("--tls", "--sni", url.hostname);
  if (url.username !== "") where.push("--user", decodeURIComponent(url.username));
  const password = decodeURIComponent(url.password);
  return { where, env: password === "" ? env : { ...env, REDISCLI_AUTH: password } };
}

export function databaseOf(redis: Config["redis"]): number {
  if (redis.kind === "embedded") return 0;
  return Number(/^\/(\d+)$/.exec(new URL(redis.url.reveal()).pathname)?.[1] ?? 0);
}
