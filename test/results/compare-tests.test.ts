/** What changed between the tests of two builds. */
import { expect, test } from "vitest";
import { BuildNumber } from "../../src/names.ts";
import { asComparison, compareTests, NAMED } from "../../src/results/compare-tests.ts";
import { TestComparison } from "../../src/results/summary.ts";
import type { TestCase } from "../../src/results/test-case.ts";

async function* batches(...all: readonly (readonly TestCase[])[]): AsyncGenerator<readonly TestCase[]> {
  yield* all;
}

/** `+` passes, `-` fails, `~` is skipped. */
function tests(text: string): TestCase[] {
  const states = { "+": "passed", "-": "failed", "~": "skipped" } as const;
  return text.split(" ").flatMap((word): TestCase[] => {
    const sign = word[0];
    if (sign !== "+" && sign !== "-" && sign !== "~") return [];
    const state = states[sign];
    return [{ suite: "s", name: word.slice(1), state, durationMs: 0, ...(state === "failed" && { message: "why" }) }];
  });
}

const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(" ");

test("every kind of change is counted and named", async () => {
  const compared = await compareTests(
    batches(tests("+same -still -mended -unskipped +breaks ~skipped"), tests("-vanished +left -skips")),
    batches(tests("+same -still +mended +unskipped"), tests("-breaks -skipped +added -bornBroken ~skips")),
  );
  expect(names(compared.newlyFailing)).toBe("bornBroken breaks skipped");
  expect(names(compared.stillFailing)).toBe("still");
  expect(names(compared.fixed)).toBe("mended skips unskipped");
  expect(names(compared.added)).toBe("added bornBroken");
  expect(names(compared.gone)).toBe("left vanished");
  expect(compared.newlyFailing[1]).toEqual({ suite: "s", name: "breaks", message: "why" });
  const comparison = asComparison(compared, BuildNumber.parse(42));
  expect(TestComparison.parse(comparison)).toEqual({
    against: 42,
    newlyFailing: 3,
    fixed: 3,
    stillFailing: 1,
    added: 2,
    gone: 2,
  });
});

test("a test of several lanes fails where one of them does", async () => {
  const compared = await compareTests(batches(tests("+a"), tests("-b +b")), batches(tests("+a -a"), tests("+b")));
  expect(names(compared.newlyFailing)).toBe("a");
  expect(names(compared.fixed)).toBe("b");
});

test("the same name in another suite is another test", async () => {
  const [a] = tests("+a");
  if (a === undefined) throw new Error("there is one");
  const compared = await compareTests(batches([a]), batches([{ ...a, suite: "t" }]));
  expect(compared.counts).toMatchObject({ added: 1, gone: 1 });
});

test("counts are whole where the names are not", async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => `-t${String(index).padStart(4, "0")}`).toReversed();
  const compared = await compareTests(batches([]), batches(tests(many.join(" "))));
  expect(compared.counts).toMatchObject({ newlyFailing: 5_000, added: 5_000 });
  expect(compared.newlyFailing.map(({ name }) => name)).toEqual(
    Array.from({ length: NAMED }, (_, index) => `t${String(index).padStart(4, "0")}`),
  );
});
