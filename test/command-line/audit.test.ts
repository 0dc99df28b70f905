/** `docker-ci audit verify`, as an operator runs it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AUDIT_LIST, createAudit } from "../../src/audit/audit.ts";
import type { Act } from "../../src/audit/entry.ts";
import { openDataFolder } from "../../src/data-folder.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { clock } from "../support/records.ts";
import { isAlive, openRedis, startForeignRedis, type TestRedis } from "../support/redis.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ACT: Act = { who: "ada", account: null, room: null, action: "build", detail: "hello", outcome: "accepted" };

async function dockerCi(
  folder: string,
  ...args: string[]
): Promise<{ status: number; stdout: string; stderr: string }> {
  const node = ["--import", import.meta.resolve("tsx"), join(PACKAGE_FOLDER, "src/main.ts"), ...args];
  const child = spawn(process.execPath, node, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => {
    output.stdout += text.toString();
  });
  child.stderr.on("data", (text: Buffer) => {
    output.stderr += text.toString();
  });
  const [status] = await once(child, "close");
  return { status: Number(status), ...output };
}

async function write(server: TestRedis, count: number): Promise<string> {
  const audit = createAudit(server.redis.commands, clock);
  for (let n = 0; n < count; n += 1) await audit.record(ACT);
  await writeFile(join(server.dataDir, "docker-ci.yml"), "data: .\n");
  return (await audit.latest(1))[0]?.hash ?? "";
}

describe("docker-ci audit verify", () => {
  test("asks the embedded Redis of the docker-ci that runs, and leaves it running", async () => {
    await using server = await openRedis();
    const newest = await write(server, 1_204);
    const pid = await server.pid();
    await using _running = await openDataFolder(server.dataDir);
    expect(await dockerCi(server.dataDir, "audit", "verify")).toEqual({
      status: 0,
      stdout: `✔ 1,204 entries, chain whole (the newest is ${newest})\n`,
      stderr: "",
    });
    expect(isAlive(pid)).toBe(true);
    expect(await server.redis.commands.ping()).toBe("PONG");
  });

  test("starts the embedded Redis where none runs, stops it again, and names the first entry that does not fit", async () => {
    await using server = await openRedis();
    await write(server, 3);
    await server.redis.commands.lset(AUDIT_LIST, 1, "nonsense");
    await server.stop();
    expect(await dockerCi(server.dataDir, "audit", "verify")).toEqual({
      status: 1,
      stdout: "✘ entry 2 does not fit: it cannot be read\n",
      stderr: "",
    });
    await using again = await openDataFolder(server.dataDir);
    expect(again.instance).toMatch(/^[0-9a-f]{8}$/);
  });

  test("asks the configured Redis", async () => {
    await using folder = await temporaryFolder();
    await using server = await startForeignRedis([]);
    await writeFile(join(folder.path, "docker-ci.yml"), `redis: ${server.url}\n`);
    expect(await dockerCi(folder.path, "audit", "verify")).toMatchObject({ status: 0, stdout: "✔ no entries yet\n" });
    await server.stop();
    expect(await dockerCi(folder.path, "audit", "verify")).toMatchObject({ status: 69, stdout: "" });
  });

  test.each([[["audit"]], [["audit", "show"]], [["audit", "verify", "now"]]])("%j is not understood", async (args) => {
    await using folder = await temporaryFolder();
    const { status, stderr } = await dockerCi(folder.path, ...args);
    expect([status, stderr.split("\n")[0]]).toEqual([
      64,
      expect.stringMatching(/^docker-ci audit: ".*" is not understood\.$/),
    ]);
  });
});
