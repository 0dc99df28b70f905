/** What the end of a container means, in words. */
import { describe, expect, test } from "vitest";
import { exitMeaning, type StopReason } from "../../src/pipeline/exit.ts";

const GIB = 1024 ** 3;
const limits = { memoryBytes: 4 * GIB, cpus: 2, pids: 100, logBytes: GIB };
const stepTime: StopReason = { kind: "time", limitMs: 600_000, whole: "step" };
const buildTime: StopReason = { kind: "time", limitMs: 1_800_000, whole: "build" };
const silence: StopReason = { kind: "silence", limitMs: 1_200_000 };
const disk: StopReason = { kind: "disk", limitBytes: 10 * GIB };

describe("an exit", () => {
  test.each([
    [1, false, undefined, "exit 1"],
    [2, false, undefined, "exit 2"],
    [255, false, undefined, "exit 255"],
    [126, false, undefined, "exit 126: the command cannot be executed"],
    [127, false, undefined, "exit 127: command not found"],
    [130, false, undefined, "exit 130: ended by SIGINT"],
    [134, false, undefined, "exit 134: ended by SIGABRT"],
    [139, false, undefined, "exit 139: ended by SIGSEGV"],
    [143, false, undefined, "exit 143: ended by SIGTERM"],
    [137, true, undefined, "out of memory (limit 4 GiB)"],
    [137, false, undefined, "exit 137: killed by SIGKILL from within its container; not for memory, not by docker-ci"],
    [1, true, undefined, "exit 1; a process in it ran out of memory (limit 4 GiB)"],
    [127, true, undefined, "exit 127: command not found; a process in it ran out of memory (limit 4 GiB)"],
    [139, true, undefined, "exit 139: ended by SIGSEGV; a process in it ran out of memory (limit 4 GiB)"],
    [137, false, stepTime, "time limit 10m00s of the step passed"],
    [143, false, buildTime, "time limit 30m00s of the build passed"],
    [0, false, stepTime, "time limit 10m00s of the step passed"],
    [137, true, stepTime, "time limit 10m00s of the step passed"],
    // O-27: told apart from the whole time.
    [137, false, silence, "silent for 20m00s (idle limit)"],
    [0, false, silence, "silent for 20m00s (idle limit)"],
    [137, false, disk, "disk limit 10 GiB passed"],
  ])("of %i, out of memory: %s, stopped for %o is %j", (exitCode, outOfMemory, stopped, meaning) => {
    const exit = { exitCode, outOfMemory, startedAt: new Date(0), finishedAt: new Date(1) };
    expect(exitMeaning(exit, limits, stopped)).toBe(meaning);
  });
});
