/** The corpus: builds that really failed, and the line of each that explains it. */
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { explain } from "../../src/why/explain.ts";
import { type FailingCase, failingCases } from "./corpus.ts";

const cases = failingCases();

async function explained({ log, build }: FailingCase): Promise<string[]> {
  const { line, excerpt } = await explain(build, Readable.from([Buffer.from(log)]));
  return [line, ...excerpt];
}

test("there are at least forty failing builds of ten kinds", () => {
  expect(cases.length).toBeGreaterThanOrEqual(40);
  expect(new Set(cases.map(({ name }) => name.split("/")[0])).size).toBeGreaterThanOrEqual(10);
  for (const { log, expected } of cases) {
    expect(expected).not.toBe("");
    expect(log).toMatch(/^(.+ │ )?(── step .+ failed|── could not go on)/m);
  }
});

test("nine in ten are explained by the right line", async () => {
  const misses: string[] = [];
  for (const each of cases) {
    const said = await explained(each);
    if (!said.some((text) => text.includes(each.expected))) {
      misses.push(`${each.name}: wanted ${each.expected}\n   got ${said.join("\n       ")}`);
    }
  }
  process.stdout.write(`${cases.length - misses.length} of ${cases.length} explained\n${misses.join("\n")}\n`);
  expect(misses.length).toBeLessThanOrEqual(cases.length / 10);
});
