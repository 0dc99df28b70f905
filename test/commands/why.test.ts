/** `!why`, with a real log and real records. */
import { expect, test } from "vitest";
import { BuildLog } from "../../src/builds/build-log.ts";
import { lastLines, openLog } from "../../src/builds/log-files.ts";
import { StepName } from "../../src/names.ts";
import { ago, openRecords } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("the end of the failing step, and nothing of docker-ci's own", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  const log = await BuildLog.open({ folder: folder.path, number: 1, limitBytes: 1_000_000 });
  await log.line("── step 1 of 2: image · docker build .");
  await log.line("── step image passed in 1s");
  await log.line("── step 2 of 2: tests");
  for (const text of [
    "$ go test",
    "=== RUN TestBlobUpload",
    "\u001b[31mapi_test.go:512: expected 201, got 500\u001b[0m",
    "",
    "FAIL",
  ]) {
    await log.line(text);
  }
  await log.line("── step tests failed in 48s: exit 1");
  await log.line("── failed in 1m12s: step tests, exit 1");
  await log.close();
  const talk = openTalk(records, {
    logLines: async (number, count) => {
      const whole = await openLog(folder.path, number);
      return whole === undefined ? undefined : lastLines(whole, count);
    },
  });
  const build = await records.begin(await records.create());
  const steps = [
    { name: "image", kind: "build", state: "passed", durationMs: 1_000 },
    { name: "tests", kind: "run", state: "failed", durationMs: 48_000, exitCode: 1, meaning: "exit 1" },
  ] as const;
  expect(await talk.ask("!why 1")).toEqual(["#1 is not over yet."]);
  const failed = { kind: "failed", startedAt: ago(72), finishedAt: ago(0), reason: "step tests, exit 1" } as const;
  await records.end(build, failed, { steps: steps.map((step) => ({ ...step, name: StepName.parse(step.name) })) });

  expect(await talk.ask("!why 1")).toEqual([
    "✘ #1 step tests, exit 1 · https://ci.example.org/builds/1/log",
    "$ go test",
    "=== RUN TestBlobUpload",
    "api_test.go:512: expected 201, got 500",
    "FAIL",
  ]);
});
