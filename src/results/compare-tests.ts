/** What changed between the tests of two builds. */
import type { BuildNumber } from "../names.ts";
import type { TestComparison } from "./summary.ts";
import { byName, failingOf } from "./tally.ts";
import { type FailingTest, type TestCase, type TestName, testKey } from "./test-case.ts";

/** How many tests each list names; the counts are whole. */
export const NAMED = 50;
/** Of more failing tests than that the messages are not held; nobody reads them. */
const MESSAGES_HELD = 2_000;

export interface ComparedTests {
  /** How many tests there were, and are; none where they are not kept any more. */
  readonly before: number;
  readonly now: number;
  readonly counts: Omit<TestComparison, "against">;
  /** Failing now: passed, skipped or not there before. */
  readonly newlyFailing: readonly FailingTest[];
  readonly stillFailing: readonly FailingTest[];
  /** Failed before, and did not fail now. One that is gone is not fixed. */
  readonly fixed: readonly TestName[];
  /** Not there before. */
  readonly added: readonly TestName[];
  readonly gone: readonly TestName[];
}

type Batches = AsyncIterable<readonly TestCase[]>;

/** A test that was run several times has the worst of its states. */
const WORSE = { skipped: 0, passed: 1, failed: 2 } as const;
type States = Map<string, (typeof WORSE)[TestCase["state"]]>;

/**
 * Reads both once and keeps a name and a number for each test. A test is the same when suite and name are; in which step or lane
 * it ran does not matter, and it fails when it fails in one of them.
 */
export async function compareTests(base: Batches, now: Batches): Promise<ComparedTests> {
  const before: States = new Map();
  for await (const batch of base) {
    for (const test of batch) worsen(before, test);
  }
  const after: States = new Map();
  const failing = new Map<string, FailingTest>();
  for await (const batch of now) {
    for (const test of batch) {
      const key = worsen(after, test);
      if (test.state === "failed" && !failing.has(key) && failing.size < MESSAGES_HELD) {
        failing.set(key, failingOf(test));
      }
    }
  }
  return judged(before, after, failing);
}

/** The counts as a record keeps them. */
export function asComparison({ counts }: ComparedTests, against: BuildNumber): TestComparison {
  return { against, ...counts };
}

function judged(before: States, after: States, failing: ReadonlyMap<string, FailingTest>): ComparedTests {
  const newlyFailing = new Named();
  const stillFailing = new Named();
  const fixed = new Named();
  const added = new Named();
  const gone = new Named();
  for (const [key, state] of after) {
    const then = before.get(key);
    if (then === undefined) added.add(key);
    if (state === WORSE.failed) (then === WORSE.failed ? stillFailing : newlyFailing).add(key);
    else if (then === WORSE.failed) fixed.add(key);
  }
  for (const key of before.keys()) if (!after.has(key)) gone.add(key);
  const withMessages = (list: Named): FailingTest[] => list.names().map((test) => failing.get(testKey(test)) ?? test);
  return {
    before: before.size,
    now: after.size,
    counts: {
      newlyFailing: newlyFailing.count,
      fixed: fixed.count,
      stillFailing: stillFailing.count,
      added: added.count,
      gone: gone.count,
    },
    newlyFailing: withMessages(newlyFailing),
    stillFailing: withMessages(stillFailing),
    fixed: fixed.names(),
    added: added.names(),
    gone: gone.names(),
  };
}

/** Counts all, and names the first in the order of names. */
class Named {
  count = 0;
  #names: TestName[] = [];

  add(key: string): void {
    this.count += 1;
    const [suite = "", name = ""] = key.split("\0");
    this.#names.push({ suite, name });
    if (this.#names.length >= 4 * NAMED) this.#names = this.names();
  }

  names(): TestName[] {
    return this.#names.toSorted(byName).slice(0, NAMED);
  }
}

/** @returns the test's key. */
function worsen(states: States, test: TestCase): string {
  const key = testKey(test);
  const known = states.get(key);
  if (known === undefined || known < WORSE[test.state]) states.set(key, WORSE[test.state]);
  return key;
}
