/**
 * The form of everything in Redis, as one number beside it. A start of a newer docker-ci brings older records up to its own form,
 * one number after the other; one that is older than the records does not touch them.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { ConfigError, RuntimeError } from "../errors.ts";
import { VERSION } from "../package.ts";

const KEY = "docker-ci:schema";
const LOCK = "docker-ci:schema:lock";
/** One that was killed while it migrated keeps others out for so long. */
const LOCK_MS = 10_000;
const PATIENCE_MS = 120_000;

/** Brings the records from the number before to `to`. It may be killed anywhere and is run again from its beginning then. */
export interface Migration {
  readonly to: number;
  /** For the log: `builds: who ran them`. */
  readonly what: string;
  run(redis: Redis): Promise<void>;
}

/**
 * In order, without a gap; the first form has the number 1. A key that may be missing in older records needs none: it is optional
 * in the schema of its record. Workers of another form would write theirs beside it: raise `PROTOCOL` (queue/protocol.ts) with it.
 */
const MIGRATIONS: readonly Migration[] = [];

/** @throws ConfigError for records of a newer docker-ci. */
export async function checkRecords(redis: Redis, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const newest = 1 + migrations.length;
  const found = await read(redis);
  if (found !== undefined && found > newest) {
    throw new ConfigError("docker-ci cannot start.", [
      `redis: the records in it are of form ${found}, and docker-ci ${VERSION} knows them up to ${newest}: start the version that wrote them, or a newer one`,
    ]);
  }
}

/**
 * At the start of the bot, before anything reads a record. Of several that start at once one migrates, and the others wait for it.
 * @returns what was done, in order. @throws ConfigError for records of a newer docker-ci; what a migration throws.
 */
export async function migrateRecords(
  redis: Redis,
  log: Logger,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  await checkRecords(redis, migrations);
  const newest = 1 + migrations.length;
  if ((await read(redis)) === newest) return [];
  await using lock = await takeLock(redis);
  // Somebody else may have done it meanwhile, or have written in a newer form.
  await checkRecords(redis, migrations);
  // Records without a number are of the first form, as an empty Redis is of every one.
  const from = (await read(redis)) ?? 1;
  const done: string[] = [];
  for (const { to, what, run } of migrations.slice(from - 1)) {
    log.info({ to, what }, "bringing the records up to a newer form");
    await run(redis);
    lock.check();
    await redis.set(KEY, to);
    done.push(what);
  }
  if (done.length === 0) await redis.set(KEY, newest);
  return done;
}

async function read(redis: Redis): Promise<number | undefined> {
  const text = await redis.get(KEY);
  return text === null ? undefined : Number(text);
}

/** KEYS: lock. ARGV: token, milliseconds; without them it is given up. Only by whoever has it. */
const KEEP = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('DEL', KEYS[1])
`;

async function takeLock(redis: Redis): Promise<AsyncDisposable & { check(): void }> {
  const token = randomBytes(12).toString("hex");
  const deadline = Date.now() + PATIENCE_MS;
  while ((await redis.set(LOCK, token, "PX", LOCK_MS, "NX")) === null) {
    if (Date.now() > deadline) throw new RuntimeError("another docker-ci is bringing the records up to a newer form");
    await sleep(100);
  }
  let isLost = false;
  const timer = setInterval(() => {
    redis.eval(KEEP, 1, LOCK, token, LOCK_MS).then(
      (kept) => {
        isLost ||= kept === 0;
      },
      () => undefined /* the next command of the migration says the same */,
    );
  }, LOCK_MS / 4);
  return {
    check() {
      if (isLost) throw new RuntimeError("another docker-ci has begun to bring the records up to a newer form");
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await redis.eval(KEEP, 1, LOCK, token).catch(() => undefined /* it ends by itself */);
    },
  };
}
