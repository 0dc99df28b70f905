import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { startSlack } from "../../support/slack-server.ts";

const run = promisify(execFile);
const script = join(import.meta.dirname, "../../support/slack-goes.ts");

describe("a process", () => {
  test.each([
    ["that was connected", "connected", false],
    ["that waits for a server", "away", true],
  ])("%s ends by itself once the chat is disposed of", async (_what, until, gone) => {
    await using slack = await startSlack();
    const { apiUrl } = slack;
    if (gone) await slack.kill();
    const { stdout } = await run(process.execPath, ["--import", "tsx", script, apiUrl, until], { timeout: 10_000 });
    expect(stdout).toBe("disposed");
  });

  test("that has no workspace loads nothing of Bolt", async () => {
    const index = join(import.meta.dirname, "../../../adapters/slack/index.ts");
    const code = `await import(${JSON.stringify(index)}); const { createRequire } = await import("node:module");
      process.stdout.write(String(Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes("@slack")).length));`;
    const { stdout } = await run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code]);
    expect(stdout).toBe("0");
  });
});
