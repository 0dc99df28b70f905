/** The log of a build: written as the build runs, taken up after a kill, bounded, and read back. */
import { execFile } from "node:child_process";
import { appendFile, readdir, readFile, rename, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { BuildLog, type BuildLogOptions } from "../../src/builds/build-log.ts";
import { logHead, logIndex, openLog } from "../../src/builds/log-files.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { readAll } from "../support/docker.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const MIB = 1024 ** 2;

/** A writer that keeps count of the step's output, as the runner does. */
async function openWriter(folder: string, changes: Partial<BuildLogOptions> = {}) {
  const log = await BuildLog.open({ folder, number: 1, limitBytes: 64 * MIB, ...changes });
  const taken = (step: string) => log.positionOf(step)?.stdout ?? 0;
  return {
    log,
    taken,
    async write(text: string | Uint8Array, step = "tests"): Promise<void> {
      const bytes = Buffer.from(text);
      await log.write(bytes, { step, output: { stdout: taken(step) + bytes.length, stderr: 0 } });
    },
  };
}

async function readBack(folder: string, number = 1): Promise<string> {
  const log = await openLog(folder, number);
  return log === undefined ? "(none)" : (await readAll(log)).toString();
}

describe("writing", () => {
  test("what was written in pieces of any size is read back whole, while it runs and after", async () => {
    await using folder = await temporaryFolder();
    const { log, write } = await openWriter(folder.path);
    const text = Array.from({ length: 20_000 }, (_, index) => `line ${index} – ✔\n`).join("");
    const bytes = Buffer.from(text);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 4_001) {
      await write(bytes.subarray(at, at + size));
    }
    await log.flush();
    expect(await readBack(folder.path)).toBe(text);
    await log.close();
    expect(await readBack(folder.path)).toBe(text);
    expect(await readdir(folder.path)).toEqual(["1.log.gz"]);
  });

  test("a line of our own begins on a line of its own, whatever the program left open", async () => {
    await using folder = await temporaryFolder();
    const { log, write } = await openWriter(folder.path);
    await log.line("── step tests");
    await write("no newline at the end");
    await log.line("── passed");
    await log.close();
    expect(await readBack(folder.path)).toBe("── step tests\nno newline at the end\n── passed\n");
  });

  test("an empty log is a log too, and a build without one has none", async () => {
    await using folder = await temporaryFolder();
    await (await openWriter(folder.path)).log.close();
    expect(await readBack(folder.path)).toBe("");
    expect(await readBack(folder.path, 2)).toBe("(none)");
  });

  test("logs of several builds in one folder do not meet", async () => {
    await using folder = await temporaryFolder();
    for (const number of [1, 11, 111]) {
      const { log, write } = await openWriter(folder.path, { number, limitBytes: 1_000 });
      await write(`${number}\n`.repeat(1_000));
      await (number === 11 ? log.suspend() : log.close());
    }
    expect(await readBack(folder.path, 1)).toMatch(/^[1\n]*$/);
    expect((await readBack(folder.path, 11)).split("\n", 1)).toEqual(["11"]);
    expect((await readBack(folder.path, 111)).split("\n", 1)).toEqual(["111"]);
  });
});

describe("after a kill", () => {
  /** What a kill may leave behind the last complete entry of the index. */
  const garbage: readonly [string, (folder: string) => Promise<void>][] = [
    ["nothing", async () => undefined],
    ["output that no entry speaks of", (folder) => appendFile(logHead(folder, 1), "half a li")],
    [
      "a torn index entry, with the output it speaks of",
      async (folder) => {
        await appendFile(logHead(folder, 1), "line 3\n");
        await appendFile(logIndex(folder, 1), '{"piece":0,"bytes":21,"tot');
      },
    ],
    [
      "an index entry that a crash of the machine made unreadable",
      async (folder) => {
        await appendFile(logHead(folder, 1), "line 3\n");
        await appendFile(logIndex(folder, 1), "\0\0\0\0\0\0\0\n");
      },
    ],
  ];
  test.each(garbage)("%s: it goes on exactly where log and position agree", async (_name, leave) => {
    await using folder = await temporaryFolder();
    const first = await openWriter(folder.path);
    await first.write("line 1\n");
    await first.log.flush();
    await first.write("line 2\n");
    await first.log.suspend();
    await leave(folder.path);

    const second = await openWriter(folder.path);
    expect(second.log.positionOf("tests")).toEqual({ stdout: 14, stderr: 0 });
    await second.write("line 3\n");
    await second.log.suspend();
    const third = await openWriter(folder.path);
    expect(third.taken("tests")).toBe(21);
    await third.write("line 4\n");
    await third.log.close();
    expect(await readBack(folder.path)).toBe("line 1\nline 2\nline 3\nline 4\n");
  });

  test("an index that cannot be read for now is not taken for a new log, which would begin with nothing", async () => {
    await using folder = await temporaryFolder();
    const first = await openWriter(folder.path);
    await first.write("line 1\n");
    await first.log.suspend();
    await rename(logIndex(folder.path, 1), join(folder.path, "aside"));
    // As little can be read of a loop of links as with too many files open.
    await symlink(logIndex(folder.path, 1), logIndex(folder.path, 1));
    await expect(openWriter(folder.path)).rejects.toThrow("ELOOP");

    await rename(join(folder.path, "aside"), logIndex(folder.path, 1));
    const second = await openWriter(folder.path);
    await second.write("line 2\n");
    await second.log.close();
    expect(await readBack(folder.path)).toBe("line 1\nline 2\n");
  });

  test("two steps at work: each goes on at its own place, and one that was over is forgotten", async () => {
    await using folder = await temporaryFolder();
    const first = await openWriter(folder.path);
    first.log.startStep("lint");
    await first.write("lint 1\n", "lint");
    first.log.endStep("lint");
    for (let line = 1; line <= 3; line += 1) {
      await first.write(`one ${line}\n`, "tests.1");
      await first.write(`two of two ${line}\n`, "tests.2");
      if (line === 2) await first.log.flush();
    }
    await first.log.suspend();
    // The kill came before the last flush was whole.
    const index = await readFile(logIndex(folder.path, 1), "utf8");
    await truncate(logIndex(folder.path, 1), index.length - 5);

    const second = await openWriter(folder.path);
    expect([second.taken("tests.1"), second.taken("tests.2"), second.log.positionOf("lint")]).toEqual([
      2 * "one 1\n".length,
      2 * "two of two 1\n".length,
      undefined,
    ]);
    await second.write("two of two 3\n", "tests.2");
    await second.write("one 3\n", "tests.1");
    await second.log.close();
    const lines = ["lint 1", "one 1", "two of two 1", "one 2", "two of two 2", "two of two 3", "one 3", ""];
    expect((await readBack(folder.path)).split("\n")).toEqual(lines);
  });

  test("an index that an older version wrote: the log begins anew, and the step is read from its start", async () => {
    await using folder = await temporaryFolder();
    await writeFile(logHead(folder.path, 1), "line 1\n");
    await writeFile(logIndex(folder.path, 1), '{"piece":0,"bytes":7,"total":7,"step":"tests","stdout":7,"stderr":0}\n');
    const { log } = await openWriter(folder.path);
    expect(log.positionOf("tests")).toBeUndefined();
    await log.close();
    expect(await readBack(folder.path)).toBe("");
  });

  test("before the first entry was whole: it begins from nothing, and can be killed again", async () => {
    await using folder = await temporaryFolder();
    await writeFile(logHead(folder.path, 1), "line 1\n");
    await writeFile(logIndex(folder.path, 1), '{"piece":0,');
    const second = await openWriter(folder.path);
    expect(second.taken("tests")).toBe(0);
    await second.write("line 1\n");
    await second.log.suspend();
    const third = await openWriter(folder.path);
    expect(third.taken("tests")).toBe(7);
    await third.log.close();
    expect(await readBack(folder.path)).toBe("line 1\n");
  });

  test("after the log was closed and before the build was written down as over: nothing of it is lost", async () => {
    await using folder = await temporaryFolder();
    const first = await openWriter(folder.path);
    await first.write("line 1\n");
    await first.log.close();
    const second = await openWriter(folder.path);
    await second.log.line("── attempt 2");
    await second.log.close();
    expect(await readBack(folder.path)).toBe("line 1\n── attempt 2\n");
  });

  test("in the middle of a line: what we say ourselves does not hang on it", async () => {
    await using folder = await temporaryFolder();
    const first = await openWriter(folder.path);
    await first.write("half a li");
    await first.log.suspend();
    const second = await openWriter(folder.path);
    await second.log.line("── going on");
    await second.write("ne\n");
    await second.log.close();
    expect(await readBack(folder.path)).toBe("half a li\n── going on\nne\n");
  });

  test("past the limit, with a tail that the index does not know: it goes on in the right piece", async () => {
    await using folder = await temporaryFolder();
    const options = { limitBytes: 800 };
    const first = await openWriter(folder.path, options);
    // One flush each: the head takes 600 bytes, a segment of the tail 100.
    for (let line = 1; line <= 30; line += 1) {
      await first.write(`line ${String(line).padStart(44, ".")}\n`);
      await first.log.flush();
    }
    await first.log.suspend();
    await writeFile(join(folder.path, "1.tail-99"), "from nowhere\n");
    const second = await openWriter(folder.path, options);
    expect(second.taken("tests")).toBe(30 * 50);
    await second.write("the end\n");
    await second.log.close();
    const lines = (await readBack(folder.path)).split("\n");
    expect(lines[0]).toMatch(/^line \.+1$/);
    expect(lines.slice(-4, -1)).toEqual([expect.stringMatching(/29$/), expect.stringMatching(/30$/), "the end"]);
  });

  test("a head that was cut short by more than the index says is no reason to fail", async () => {
    await using folder = await temporaryFolder();
    const first = await openWriter(folder.path);
    await first.write("line 1\n");
    await first.log.suspend();
    await truncate(logHead(folder.path, 1), 3);
    const second = await openWriter(folder.path);
    await second.log.close();
    expect((await readBack(folder.path)).slice(0, 3)).toBe("lin");
  });
});

describe("past the limit", () => {
  test("the beginning and the end stay, the middle is left out and said to be, and the size is bounded", async () => {
    await using folder = await temporaryFolder();
    const limitBytes = MIB;
    const { log, write } = await openWriter(folder.path, { limitBytes });
    for (let line = 0; line < 100_000; line += 1) await write(`line ${line} ${".".repeat(40)}\n`);
    await log.line("── step tests failed");
    expect(log.totalBytes).toBeGreaterThan(4 * MIB);
    const running = await readBack(folder.path);
    await log.close();

    for (const text of [running, await readBack(folder.path)]) {
      expect(text.length).toBeLessThan(limitBytes * 1.2);
      expect(text.length).toBeGreaterThan((limitBytes * 7) / 8);
      expect(text.startsWith("line 0 ..")).toBe(true);
      expect(text).toMatch(/\n… .*left out here: it passed the limit …\n/);
    }
    const text = await readBack(folder.path);
    expect(text).toContain("\nline 99999 ");
    expect(text.endsWith("\n── step tests failed\n")).toBe(true);
    const left = /… ([\d.]+) MiB of log left out here/.exec(text)?.[1];
    expect(Number(left)).toBeCloseTo((log.totalBytes - text.length) / MIB, 0);
  });

  test("a log that just fits has no gap", async () => {
    await using folder = await temporaryFolder();
    const { log, write } = await openWriter(folder.path, { limitBytes: 1_000 });
    for (let count = 0; count < 10; count += 1) {
      await write("x".repeat(99));
      await log.flush();
    }
    await log.close();
    expect(await readBack(folder.path)).toBe("x".repeat(990));
  });
});

// O-164
test("memory does not grow with a log of 300 MB", { timeout: 40_000 }, async () => {
  await using folder = await temporaryFolder();
  const script = `
    const { BuildLog } = await import(${JSON.stringify(join(PACKAGE_FOLDER, "src/builds/build-log.ts"))});
    const log = await BuildLog.open({ folder: ${JSON.stringify(folder.path)}, number: 1, limitBytes: 1024 ** 3, publish: () => undefined });
    const chunk = Buffer.from(("a line of a log, as long as many are, of 64 characters.........\\n").repeat(500));
    let stdout = 0;
    let most = 0;
    const before = process.memoryUsage.rss();
    for (let written = 0; written < 300e6; written += chunk.length) {
      stdout += chunk.length;
      await log.write(chunk, { step: "tests", output: { stdout, stderr: 0 } });
      most = Math.max(most, process.memoryUsage.rss());
    }
    await log.close();
    most = Math.max(most, process.memoryUsage.rss());
    console.log(JSON.stringify({ grewMiB: (most - before) / 1024 ** 2, stdout }));
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", script],
    { cwd: PACKAGE_FOLDER, timeout: 35_000 },
  );
  const { grewMiB } = JSON.parse(stdout);
  expect(grewMiB).toBeLessThan(100);
  expect((await stat(join(folder.path, "1.log.gz"))).size).toBeGreaterThan(100_000);
});

describe("live", () => {
  interface Shown {
    readonly at: number;
    readonly text: string;
  }
  async function publishing(folder: string): Promise<Awaited<ReturnType<typeof openWriter>> & { shown: Shown[] }> {
    const shown: Shown[] = [];
    return { ...(await openWriter(folder, { publish: (at, text) => shown.push({ at, text }) })), shown };
  }

  test("those who watch get the text with its place in the log, without being asked for", async () => {
    await using folder = await temporaryFolder();
    const { log, write, shown } = await publishing(folder.path);
    await log.line("── step");
    await log.flush();
    await write("one\n");
    await write("two\n");
    await log.flush();
    expect(shown).toEqual([
      { at: 0, text: "── step\n" },
      { at: Buffer.byteLength("── step\n"), text: "one\ntwo\n" },
    ]);
    await log.close();
  });

  test("characters that are cut by a chunk's end are shown whole, at the place where they begin", async () => {
    await using folder = await temporaryFolder();
    const { log, write, shown } = await publishing(folder.path);
    const bytes = Buffer.from("a✔é😀b\n");
    for (const byte of bytes) {
      await write(Buffer.of(byte));
      await log.flush();
    }
    expect(shown).toEqual([
      { at: 0, text: "a" },
      { at: 1, text: "✔" },
      { at: 4, text: "é" },
      { at: 6, text: "😀" },
      { at: 10, text: "b" },
      { at: 11, text: "\n" },
    ]);
    await log.close();
    expect(await readBack(folder.path)).toBe("a✔é😀b\n");
  });

  test("what is no UTF-8 is shown as far as it can be, and kept as it is", async () => {
    await using folder = await temporaryFolder();
    const { log, write, shown } = await publishing(folder.path);
    const bytes = Buffer.of(0x61, 0xff, 0x80, 0x80, 0x80, 0x80, 0x62, 0xe2, 0x0a);
    await write(bytes);
    await log.flush();
    expect(shown.map(({ text }) => text).join("")).toMatch(/^a\ufffd+b\ufffd\n$/);
    await log.close();
    const kept = await openLog(folder.path, 1);
    expect(kept === undefined ? undefined : await readAll(kept)).toEqual(bytes);
  });

  test("a flood is thinned for those who watch, at whole characters, and whole in the file", async () => {
    await using folder = await temporaryFolder();
    const { log, write, shown } = await publishing(folder.path);
    const flood = "✔".repeat(1_000_000);
    await write(flood);
    await log.flush();
    const [last] = shown.slice(-1);
    expect(Buffer.byteLength(last?.text ?? "")).toBeLessThanOrEqual(32 * 1024);
    expect(last?.text).toMatch(/^✔+$/);
    expect(last?.at).toBe(3_000_000 - Buffer.byteLength(last?.text ?? ""));
    await log.close();
    expect(await readBack(folder.path)).toBe(flood);
  });
});
