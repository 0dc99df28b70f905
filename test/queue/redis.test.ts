/** Redis: the one that docker-ci runs for itself, and the one it is given. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config.ts";
import { ConfigError, describeError, RuntimeError } from "../../src/errors.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { startEmbeddedRedis } from "../../src/queue/embedded-redis.ts";
import { connectRedis } from "../../src/queue/redis.ts";
import { capturedLog } from "../support/captured-log.ts";
import { freePort } from "../support/irc-server.ts";
import { configOf } from "../support/records.ts";
import { isAlive, openRedis, serverPid, startForeignRedis } from "../support/redis.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

describe("the embedded Redis", () => {
  test("keeps every write before it answers, never evicts, and is open to its owner alone (O-07)", async () => {
    await using server = await openRedis();
    const { commands } = server.redis;
    const settings = await Promise.all(
      ["appendonly", "appendfsync", "maxmemory-policy", "port", "save"].map((name) => commands.config("GET", name)),
    );
    expect(settings).toEqual([
      ["appendonly", "yes"],
      ["appendfsync", "always"],
      ["maxmemory-policy", "noeviction"],
      ["port", "0"],
      ["save", ""],
    ]);
    const folder = join(server.dataDir, "redis");
    expect((await stat(join(folder, "redis.sock"))).mode & 0o777).toBe(0o700);
    expect((await stat(folder)).mode & 0o077).toBe(0);
    expect(server.redis.warnings).toEqual([]);
  });

  test("stops with its owner, keeps what it had for the next start, and says nothing of trouble (O-07)", async () => {
    await using server = await openRedis();
    await server.redis.commands.set("build", "42");
    const pid = await server.pid();
    await server.stop();
    await waitFor("the server to be gone", () => !isAlive(pid));
    await using again = await connectRedis({ redis: { kind: "embedded" }, dataDir: server.dataDir }, server.log);
    expect(await again.commands.get("build")).toBe("42");
    expect(server.entries(40)).toEqual([]);
  });

  test("a server that is killed under us comes back by itself, with all that it had answered", async () => {
    await using server = await openRedis();
    for (let number = 0; number < 100; number += 1) await server.redis.commands.rpush("written", number);
    const pid = await server.pid();
    process.kill(pid, "SIGKILL");
    await waitFor("the server to be back", async () => (await server.redis.commands.llen("written")) === 100);
    expect(await server.pid()).not.toBe(pid);
    expect(server.entries(50).map(({ msg }) => msg)).toContain("the embedded redis-server died; starting it again");
    const blocked = server.redis.open();
    expect(await blocked.lindex("written", -1)).toBe("99");
  });

  test("one that has just been killed does not hold up the end", async () => {
    await using folder = await temporaryFolder();
    const server = await startEmbeddedRedis(folder.path, capturedLog().log);
    const connection = new Redis({ path: server.socketPath });
    const pid = await serverPid(connection);
    connection.disconnect();
    process.kill(pid, "SIGKILL");
    await waitFor("it to be gone", () => !isAlive(pid));
    const before = Date.now();
    await server[Symbol.asyncDispose]();
    expect(Date.now() - before).toBeLessThan(2_000);
  });

  test("the one that a killed docker-ci left is taken over, and then looked after like our own", async () => {
    await using folder = await temporaryFolder();
    const pid = await leaveServerBehind(folder.path);
    expect(isAlive(pid)).toBe(true);
    const { log, entries } = capturedLog();
    await using redis = await connectRedis({ redis: { kind: "embedded" }, dataDir: folder.path }, log);
    expect(entries(30).map(({ msg }) => msg)).toEqual(["took over the embedded redis-server of an earlier run"]);
    expect([await serverPid(redis.commands), await redis.commands.get("left")]).toEqual([pid, "behind"]);

    process.kill(pid, "SIGKILL");
    await waitFor("another server", async () => (await serverPid(redis.commands)) !== pid);
    expect(await redis.commands.get("left")).toBe("behind");
  });

  test("one that was taken over is stopped at the end as well", async () => {
    await using folder = await temporaryFolder();
    const pid = await leaveServerBehind(folder.path);
    await (await startEmbeddedRedis(join(folder.path, "redis"), capturedLog().log))[Symbol.asyncDispose]();
    await waitFor("the server to be gone", () => !isAlive(pid));
  });

  test("a data folder whose path is too long for a socket has its socket elsewhere", async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, "deep".repeat(20), "deep".repeat(20));
    const { log } = capturedLog();
    await using redis = await connectRedis({ redis: { kind: "embedded" }, dataDir }, log);
    expect(await redis.commands.ping()).toBe("PONG");
  });
});

describe("a given Redis", () => {
  const given = (url: string): Pick<Config, "redis" | "dataDir"> => configOf(`redis: ${url}`);

  test("one that evicts is refused, with the key, what was found and what to do", async () => {
    await using server = await startForeignRedis(["--maxmemory-policy", "allkeys-lru", "--appendonly", "yes"]);
    const refused = connectRedis(given(server.url), capturedLog().log);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(
      `${server.url} cannot be used.\n  redis: found maxmemory-policy allkeys-lru, allowed: noeviction; under memory pressure this Redis would forget builds (CONFIG SET maxmemory-policy noeviction)`,
    );
  });

  test("one without an append-only file is used, with a warning", async () => {
    await using server = await startForeignRedis([]);
    await using redis = await connectRedis(given(server.url), capturedLog().log);
    expect(redis.warnings).toEqual([
      `${server.url} keeps no append-only file: a crash of it loses the newest builds (CONFIG SET appendonly yes)`,
    ]);
    expect(await redis.commands.ping()).toBe("PONG");
  });

  test("one that keeps everything is used without a word, and lives on when we stop", async () => {
    await using server = await startForeignRedis(["--appendonly", "yes"]);
    const redis = await connectRedis(given(server.url), capturedLog().log);
    expect(redis.warnings).toEqual([]);
    const pid = await serverPid(redis.commands);
    await redis[Symbol.asyncDispose]();
    expect(isAlive(pid)).toBe(true);
  });

  test("one that is away is said so in one sentence, soon, without its password", async () => {
    const port = await freePort();
    const { log, entries } = capturedLog();
    const before = Date.now();
    const refused = connectRedis(given(`redis://ci:hunter2@127.0.0.1:${port}/0`), log);
    await expect(refused).rejects.toThrow(RuntimeError);
    await expect(refused).rejects.toThrow(
      `redis://127.0.0.1:${port}/0 does not answer (connect ECONNREFUSED 127.0.0.1:${port})`,
    );
    expect(Date.now() - before).toBeLessThan(5_000);
    expect(JSON.stringify(entries())).not.toContain("hunter2");
  });

  test("one that does not know the password is said so in one sentence", async () => {
    await using server = await startForeignRedis(["--requirepass", "hunter2", "--appendonly", "yes"]);
    const wrong = server.url.replace("redis://", "redis://:hunter3@");
    const { log, entries } = capturedLog();
    const refused = await connectRedis(given(wrong), log).then(() => undefined, describeError);
    expect(refused).toMatch(/^redis:\/\/127\.0\.0\.1:\d+\/0 does not answer \([^()]*(WRONGPASS|NOAUTH)[^()]*\)$/);
    expect(entries().map(({ msg }) => msg)).toContain("Redis is away");
    expect(`${refused} ${JSON.stringify(entries())}`).not.toContain("hunter");
  });

  test("an outage is one line in the log, and its end another", async () => {
    const { log, entries } = capturedLog();
    await using server = await startForeignRedis(["--appendonly", "yes"]);
    await using redis = await connectRedis(given(server.url), log);
    await server.stop();
    await expect(redis.commands.ping()).rejects.toThrow();
    await expect(redis.commands.ping()).rejects.toThrow();
    expect(entries(50).map(({ msg }) => msg)).toEqual(["Redis is away"]);
  });
});

/** A docker-ci that starts its Redis in that data folder and is killed; gives the server's process. */
async function leaveServerBehind(dataDir: string): Promise<number> {
  const module = JSON.stringify(join(PACKAGE_FOLDER, "src/queue/redis.ts"));
  const script = `
    const { connectRedis } = await import(${module});
    const { pino } = await import("pino");
    const redis = await connectRedis({ redis: { kind: "embedded" }, dataDir: ${JSON.stringify(dataDir)} }, pino({ level: "silent" }));
    await redis.commands.set("left", "behind");
    console.log(/process_id:(\\d+)/.exec(await redis.commands.info("server"))[1]);
    setInterval(() => undefined, 1_000);
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    cwd: PACKAGE_FOLDER,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [text] = await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  return Number(String(text).trim());
}
