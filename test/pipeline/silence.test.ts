/** How long a step has said nothing, and what is no silence of its own (O-27). */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Silence } from "../../src/pipeline/silence.ts";
import { waitFor } from "../support/wait-for.ts";

const LIMIT_MS = 20 * 60_000;
const never = async (): Promise<void> => undefined;

describe("by the clock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function listen(limitMs: number | undefined, answers: () => Promise<void> = never) {
    const ended: number[] = [];
    const silence = new Silence({ limitMs, answers, tooLong: (passedMs) => ended.push(passedMs) });
    return { silence, ended };
  }

  test("a word begins it anew, and the end of it is told once", async () => {
    const { silence, ended } = listen(LIMIT_MS);
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 2_000);
    silence.heard();
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 2_000);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(2 * LIMIT_MS);
    expect(ended).toEqual([LIMIT_MS]);
  });

  test("without a limit, or after its end, nobody is told", async () => {
    const free = listen(undefined);
    const over = listen(LIMIT_MS);
    over.silence.end();
    await vi.advanceTimersByTimeAsync(100 * LIMIT_MS);
    expect([free.ended, over.ended]).toEqual([[], []]);
  });

  test("what it said is being written to a slow disk: nothing counts meanwhile", async () => {
    const { silence, ended } = listen(LIMIT_MS);
    silence.pause();
    await vi.advanceTimersByTimeAsync(2 * LIMIT_MS);
    silence.heard();
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 2_000);
    expect(ended).toEqual([]);
    silence.end();
  });

  test("an engine that is away carries no words: it begins anew when the engine is there again", async () => {
    let isAway = true;
    const { ended } = listen(LIMIT_MS, async () => {
      if (isAway) throw new Error("away");
    });
    await vi.advanceTimersByTimeAsync(LIMIT_MS + 1_000);
    isAway = false;
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 5_000);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ended).toEqual([LIMIT_MS]);
  });

  test("what it says while the engine is asked counts, also while that is still being written", async () => {
    const answers = vi.fn(never);
    const { silence, ended } = listen(LIMIT_MS, answers);
    answers.mockImplementationOnce(async () => silence.pause());
    await vi.advanceTimersByTimeAsync(3 * LIMIT_MS);
    expect([answers.mock.calls.length, ended]).toEqual([1, []]);
    silence.end();
  });
});

test("a worker that stood still has not listened: what was said meanwhile is heard first", async () => {
  let isTooLong = false;
  const silence = new Silence({
    limitMs: 500,
    answers: never,
    tooLong: () => {
      isTooLong = true;
    },
  });
  // As SIGSTOP does: no timer runs, and what others send waits.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 50);
  await waitFor("a few ticks", () => ticks >= 3);
  clearInterval(timer);
  expect(isTooLong).toBe(false);
  await waitFor("the silence to be long enough by itself", () => isTooLong);
  silence.end();
});
