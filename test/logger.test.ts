/** The program's own log tells no secrets. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLogger } from "../src/logger.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

test("what logged in to Redis stays out of it, whatever the error brings along", async () => {
  await using folder = await temporaryFolder();
  const log = openLogger({ kind: "file", dataDir: folder.path });
  const command = { name: "hello", args: ["3", "AUTH", "buildworker", "hunter2"] };
  log.error({ err: Object.assign(new Error("WRONGPASS"), { command }) }, "a job failed");
  const written = await readFile(join(folder.path, "docker-ci/docker-ci.log"), "utf8");
  expect(written).toContain("WRONGPASS");
  expect(written).not.toContain("hunter2");
});
