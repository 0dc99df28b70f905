/** Counts tests as they come, and keeps the few of them that a summary names. */

import { FAILING_KEPT, SLOWEST_KEPT, type TestSummary } from "./summary.ts";
import { type FailingTest, type TestCase, type TestName, testKey } from "./test-case.ts";

/** How many failing tests the summary of one step names; a record keeps FAILING_KEPT of them. */
const FAILING_OF_STEP = 1_000;
const FLAKY_OF_STEP = 1_000;

export class Tally {
  #total = 0;
  #failed = 0;
  #skipped = 0;
  #durationMs = 0;
  readonly #failing: FailingTest[] = [];
  readonly #flaky: TestName[] = [];
  #slowest: TestSummary["slowest"] = [];

  add(test: TestCase): void {
    this.#total += 1;
    this.#durationMs += test.durationMs;
    if (test.state === "skipped") this.#skipped += 1;
    if (test.state === "failed") {
      this.#failed += 1;
      if (this.#failing.length < FAILING_OF_STEP) this.#failing.push(failingOf(test));
    }
    if (test.flaky === true && this.#flaky.length < FLAKY_OF_STEP) this.#flaky.push(copied(nameOf(test)));
    this.#consider(test);
  }

  summary(): TestSummary {
    return {
      total: this.#total,
      failed: this.#failed,
      skipped: this.#skipped,
      durationMs: Math.round(this.#durationMs),
      failing: this.#failing.toSorted(byName),
      flaky: this.#flaky.toSorted(byName),
      slowest: this.#slowest,
    };
  }

  #consider(test: TestCase): void {
    const least = this.#slowest[SLOWEST_KEPT - 1];
    if (test.durationMs <= 0 || (least !== undefined && test.durationMs <= least.durationMs)) return;
    const entry = copied({ ...nameOf(test), durationMs: test.durationMs });
    this.#slowest = [...this.#slowest, entry].toSorted(bySlowness).slice(0, SLOWEST_KEPT);
  }
}

/**
 * One summary of several, those of steps and lanes, with as many names as a record keeps. A test that stands in several of them
 * counts in each, and is named once.
 */
export function mergeSummaries(summaries: readonly TestSummary[]): TestSummary {
  const sum = (count: (summary: TestSummary) => number): number =>
    summaries.reduce((total, summary) => total + count(summary), 0);
  return {
    total: sum(({ total }) => total),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
    durationMs: sum(({ durationMs }) => durationMs),
    failing: named(summaries.flatMap(({ failing }) => failing)),
    flaky: named(summaries.flatMap(({ flaky }) => flaky)),
    slowest: unique(summaries.flatMap(({ slowest }) => slowest).toSorted(bySlowness)).slice(0, SLOWEST_KEPT),
  };
}

/** In the order in which tests are listed everywhere: by suite, then by name, whatever the language of the machine. */
export function byName(a: TestName, b: TestName): number {
  return compare(a.suite, b.suite) || compare(a.name, b.name);
}

function named<Test extends TestName>(tests: readonly Test[]): Test[] {
  return unique(tests).toSorted(byName).slice(0, FAILING_KEPT);
}

/** The first of each name, in the order given. */
function unique<Test extends TestName>(tests: readonly Test[]): Test[] {
  const found = new Map<string, Test>();
  for (const test of tests) {
    if (!found.has(testKey(test))) found.set(testKey(test), test);
  }
  return [...found.values()];
}

type Timed = TestName & { readonly durationMs: number };

function bySlowness(a: Timed, b: Timed): number {
  return b.durationMs - a.durationMs || byName(a, b);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function nameOf({ suite, name }: TestName): TestName {
  return { suite, name };
}

/** As a record keeps it, in memory of its own. */
export function failingOf({
  state: _state,
  durationMs: _durationMs,
  flaky: _flaky,
  ...failing
}: TestCase): FailingTest {
  return copied(failing);
}

/** A short text cut out of a long one keeps the long one in memory; a copy does not. */
function copied<Value>(value: Value): Value {
  return structuredClone(value);
}
