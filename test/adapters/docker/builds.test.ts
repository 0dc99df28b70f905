/** Images built by either builder: what people read meanwhile, and whose fault a failure is. */
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RuntimeError } from "../../../src/errors.ts";
import type { ImageBuild } from "../../../src/runtime.ts";
import { type Corner, never, openCorner, readAll, readOutput, tarOf } from "../../support/docker.ts";
import { waitFor } from "../../support/wait-for.ts";

describe.each(["classic", "buildkit"] as const)("an image built by %s", (builder) => {
  let corner: Corner;
  beforeEach(() => {
    corner = openCorner();
  });
  afterEach(async () => await corner[Symbol.asyncDispose]());

  async function build(lines: string, changes: Partial<ImageBuild> = {}, files: Record<string, string> = {}) {
    let text = "";
    const onOutput = (more: string) => {
      text += more;
    };
    const result = await corner.runtime.buildImage(corner.build(lines, { builder, onOutput, ...changes }, files));
    return { result, text };
  }

  it("can be run, and what its steps printed can be read", async () => {
    const lines = `ARG WHO\nRUN echo "he"llo $WHO; printf par; sleep 0.1; echo tly; printf 'no newline'\nCOPY f /f`;
    const { result, text } = await build(lines, { args: { WHO: "w\u00f6rld" } }, { f: "content" });
    expect(result.kind).toBe("built");
    expect(text).toContain(`RUN echo "he"llo`);
    // What another step says meanwhile may stand between its lines.
    const printed = text.split("\n").filter((each) => !each.startsWith("#"));
    expect(printed.join("\n")).toContain("hello w\u00f6rld\npartly\nno newline");
    const image = `${corner.name("image")}:latest`;
    expect(result).toEqual({ kind: "built", imageId: await corner.runtime.imageId(image) });
    const container = await corner.runtime.start(corner.spec("cat /f", { image }), never);
    expect((await readOutput(container)).stdout.toString()).toBe("content");
    expect((await corner.runtime.listImages(corner.labels)).map(({ reference }) => reference)).toEqual([image]);
  });

  it("says what it took from the cache", async () => {
    await build("RUN echo once");
    const { result, text } = await build("RUN echo once");
    expect(result.kind).toBe("built");
    expect(text).toMatch(/cache/i);
    expect(text).not.toMatch(/^once$/m);
  });

  // The classic builder knows no mounts.
  const itWithMounts = builder === "buildkit" ? it : () => undefined;
  itWithMounts("shares what its RUN lines keep only with those of its own namespace", async () => {
    const mount = `--mount=type=cache,id=${corner.name("kept")},target=/kept`;
    // The argument keeps the layers apart; a line that runs again is what is looked at.
    const keeping = (who: string, cacheNamespace?: string) =>
      build(`ARG WHO\nRUN ${mount} ls /kept && touch /kept/$WHO`, {
        args: { WHO: who },
        tag: `${corner.name(who)}:latest`,
        ...(cacheNamespace === undefined ? {} : { cacheNamespace }),
      });
    await keeping("ours");
    const theirs = await keeping("theirs", corner.name("outside"));
    expect(theirs.result.kind).toBe("built");
    expect(theirs.text).not.toMatch(/^ours$/m);
    const again = await keeping("again");
    expect(again.text).toMatch(/^ours$/m);
    expect(again.text).not.toMatch(/^theirs$/m);
  });

  it("can be built on one of this machine alone, up to a stage", async () => {
    const first = `${corner.name("first")}:latest`;
    await build("RUN echo first > /first", { tag: first });
    const context = tarOf({
      "sub/Df": `FROM ${first} AS one\nRUN cat /first # ${first}\nFROM one AS two\nRUN exit 9\n`,
    });
    const { result, text } = await build("", { context, dockerfile: "sub/Df", target: "one" });
    expect(result.kind).toBe("built");
    expect(text).toMatch(/^first$/m);
  });

  it.each([
    ["a command that fails", "RUN echo why; exit 3", "RUN echo why; exit 3 failed with exit code 3", 3],
    [
      "a file that is not there",
      "COPY nothing /x",
      "COPY nothing /x: there is no nothing in the build's context",
      undefined,
    ],
    ["a mistake in the Dockerfile", "RUNN x", "dockerfile parse error line 4: unknown instruction: RUNN", undefined],
  ])("fails by %s", async (_, lines, message, exitCode) => {
    const { result } = await build(lines);
    expect(result.kind === "failed" && { ...result, message: result.message.replace("on line", "line") }).toEqual({
      kind: "failed",
      message,
      exitCode,
    });
  });

  it("fails without a Dockerfile, or without the stage asked for", async () => {
    const missing = await build("", { dockerfile: "deploy/Dockerfile" });
    expect(missing.result).toMatchObject({
      kind: "failed",
      message: "there is no deploy/Dockerfile in the build's context",
    });
    expect((await build("", { target: "nope" })).result).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("nope"),
    });
  });

  it("is not to blame for a base image that cannot be had", async () => {
    const context = tarOf({ Dockerfile: "FROM registry.invalid/team/image:1\n" });
    await expect(build("", { context })).rejects.toThrow(
      "image registry.invalid/team/image:1 cannot be pulled (no such host)",
    );
  });

  it("passes the packer's own failure on", async () => {
    const context = Readable.from(
      (async function* () {
        yield Buffer.alloc(1024);
        await sleep(100);
        throw new RuntimeError("git broke");
      })(),
      { objectMode: false },
    );
    await expect(build("", { context })).rejects.toThrow("git broke");
  });

  it("has no network where the project says so", async () => {
    const line = `RUN node -e 'console.log(Object.keys(require("os").networkInterfaces()).filter((n) => n !== "lo"))'`;
    expect((await build(`${line} # none`, { network: "none" })).text).toMatch(/^\[\]$/m);
    expect((await build(`${line} # some`, { network: "internet" })).text).toMatch(/^\[ 'eth0' \]$/m);
  });

  it("takes no more of a context than its builder does", async () => {
    const whole = await readAll(tarOf({ large: "x".repeat(64 * 1024) }));
    // Without the two empty blocks that end a tar.
    const entry = whole.subarray(0, -1024);
    let taken = 0;
    const controller = new AbortController();
    const endless = (async function* () {
      for (; taken < 1e6; taken += 1) yield entry;
    })();
    const building = build("", { context: Readable.from(endless, { objectMode: false }), signal: controller.signal });
    await sleep(300);
    controller.abort(new Error("enough"));
    await expect(building).rejects.toThrow("enough");
    const before = taken;
    await sleep(100);
    expect(taken).toBe(before);
  });

  it("is given up at once when asked to, and leaves no container behind", async () => {
    const controller = new AbortController();
    let text = "";
    const mark = corner.name("mark");
    const building = build(`RUN echo begun; sleep 61 # ${mark}`, {
      signal: controller.signal,
      onOutput: (more) => {
        text += more;
      },
    });
    building.catch(() => undefined);
    await waitFor("the step to begin", () => /^begun$/m.test(text), { seen: () => text });
    const asked = Date.now();
    controller.abort(new Error("cancelled"));
    await expect(building).rejects.toThrow("cancelled");
    expect(Date.now() - asked).toBeLessThan(1000);
    await waitFor("the engine to remove the step's container", async () => !(await runsAnywhere(corner, mark)));
  });
});

/** Whether a process with these words in its command line runs on the engine's machine, which is this one. */
async function runsAnywhere(corner: Corner, words: string): Promise<boolean> {
  const line = "grep -l sleep /proc/[0-9]*/cmdline 2>/dev/null | xargs -r cat | tr '\\0' ' '";
  const container = await corner.runtime.start(corner.spec(line, { privileged: true, mounts: [] }), never);
  const { stdout } = await readOutput(container);
  return stdout.toString().includes(words);
}
