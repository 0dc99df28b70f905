/** What a step prints on its way into the log: in whole lines, masked, and taken up at the byte after a kill. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMask } from "../../src/pipeline/masking.ts";
import { StepOutput, type StepOutputOptions } from "../../src/pipeline/step-output.ts";
import { MemoryLog } from "../support/step-log.ts";

const SECRET = "open-sesame\nsecond line of it";
const MASK = createMask([SECRET]);

function opened(log: MemoryLog, options: Partial<StepOutputOptions> = {}): StepOutput {
  return new StepOutput(log, { key: "tests", label: undefined, mask: undefined, ...options });
}

const stdout = (text: string | Uint8Array) => ({ stream: "stdout" as const, bytes: Buffer.from(text) });
const stderr = (text: string) => ({ stream: "stderr" as const, bytes: Buffer.from(text) });

describe("steps side by side", () => {
  const parallel = { label: "tests NODE=20" };

  test("every line says whose it is, and comes when it is whole", async () => {
    const log = new MemoryLog();
    const output = opened(log, parallel);
    output.begin(true);
    await output.line("── step 1 of 2");
    await output.push(stdout("half a "));
    await output.push(stderr("from the other stream\n"));
    expect(log.text).toBe("tests NODE=20 │ ── step 1 of 2\ntests NODE=20 │ from the other stream\n");
    expect(log.positionOf("tests")).toEqual({ stdout: 0, stderr: 22 });
    await output.push(stdout("line\nand a"));
    expect(log.text).toMatch(/│ half a line\n$/);
    expect(log.positionOf("tests")).toEqual({ stdout: 12, stderr: 22 });
    await output.push(stdout(" last one"));
    await output.end();
    expect(log.text.split("\n").slice(2)).toEqual([
      "tests NODE=20 │ half a line",
      "tests NODE=20 │ and a last one",
      "",
    ]);
    expect(log.positionOf("tests")).toEqual({ stdout: 26, stderr: 22 });
  });

  test("output without a newline goes out in parts of 16 KiB and a little", async () => {
    const log = new MemoryLog();
    const output = opened(log, parallel);
    output.begin(true);
    for (let count = 0; count < 20; count += 1) await output.push(stdout("x".repeat(1_000)));
    expect(log.text).toBe(`tests NODE=20 │ ${"x".repeat(17_000)}\n`);
    expect(log.positionOf("tests")).toEqual({ stdout: 17_000, stderr: 0 });
  });
});

describe("secrets", () => {
  test("are masked in the output and in our own lines, and who watches sees no more", async () => {
    const log = new MemoryLog();
    const seen: Uint8Array[] = [];
    const output = opened(log, { mask: MASK, watch: { push: (bytes) => seen.push(bytes) } });
    output.begin(true);
    await output.line("$ echo open-sesame");
    await output.push(stdout("it is open-"));
    await output.push(stdout("sesame\nand open-"));
    await output.end();
    expect(log.text).toBe("$ echo ***\nit is ***\nand open-");
    expect(Buffer.concat(seen).toString()).toBe("it is ***\nand open-");
  });

  test("what is held back because it may be one is not counted as read", async () => {
    const log = new MemoryLog();
    const output = opened(log, { mask: MASK });
    output.begin(true);
    await output.push(stdout("word open-"));
    expect([log.text, log.positionOf("tests")?.stdout]).toEqual(["word ", 5]);
  });
});

test("wherever a worker is killed, the next one goes on so that nothing is lost, doubled or shown", async () => {
  const piece = fc.constantFrom(
    SECRET,
    "open-sesame",
    "second line",
    "open-",
    "\n",
    "a line\n",
    "é",
    "x".repeat(9_000),
  );
  const scene = {
    pieces: fc.array(piece, { maxLength: 30 }),
    sizes: fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 10 }),
    kills: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
    label: fc.constantFrom(undefined, "tests"),
  };
  const property = fc.asyncProperty(fc.record(scene), async ({ pieces, sizes, kills, label }) => {
    const bytes = Buffer.from(pieces.join(""));
    const log = new MemoryLog();
    let [chunk, at, left] = [0, 0, [...kills]];
    let output = opened(log, { mask: MASK, label });
    output.begin(true);
    while (at < bytes.length) {
      const size = sizes[chunk % sizes.length] ?? 1;
      chunk += 1;
      await output.push(stdout(bytes.subarray(at, at + size)));
      at += size;
      const [kill, ...more] = left;
      if (kill === undefined || chunk < kill) continue;
      [chunk, left] = [0, more];
      output = opened(log, { mask: MASK, label });
      at = output.begin(false).stdout;
    }
    await output.end();
    const whole = MASK.text(bytes.toString());
    const lines = log.text.replaceAll("tests │ ", "");
    // Long lines are cut where they pass the limit, and the last one gets its end.
    const shown = label === undefined ? log.text : lines.replaceAll("\n", "");
    expect(shown).toBe(label === undefined ? whole : whole.replaceAll("\n", ""));
    expect(log.positionOf("tests")?.stdout).toBe(bytes.length);
    if (label !== undefined && log.text !== "") expect(log.text).toMatch(/^(tests │ [^\n]*\n)+$/);
  });
  await fc.assert(property, { numRuns: 300 });
});
