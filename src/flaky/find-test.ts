/** The test that a person means by a part of its name. */
import { nearest } from "../nearest.ts";
import { type TestName, testKey, testLabel } from "../results/test-case.ts";

export type FoundTest =
  | { readonly kind: "one"; readonly test: TestName }
  | { readonly kind: "several"; readonly tests: readonly TestName[] }
  /** Labels that are near; maybe none. */
  | { readonly kind: "none"; readonly nearest: readonly string[] };

const NEAREST = 3;

/**
 * A whole name, or one with its suite, before any that only contains it. What stands between the words does not matter:
 * `handlers TestBlobUpload` finds `registry/handlers › TestBlobUpload`.
 */
export function findTest(known: readonly TestName[], text: string): FoundTest {
  const tests = [...new Map(known.map((test) => [testKey(test), test])).values()];
  const wanted = words(text);
  const whole = tests.filter((test) => test.name === text || testLabel(test) === text);
  const found =
    whole.length > 0 || wanted === "" ? whole : tests.filter((test) => words(testLabel(test)).includes(wanted));
  const [test, second] = found;
  if (test === undefined) {
    const near = new Set(
      nearest(
        text,
        tests.map(({ name }) => name),
        NEAREST,
      ),
    );
    return {
      kind: "none",
      nearest: tests
        .filter(({ name }) => near.has(name))
        .slice(0, NEAREST)
        .map(testLabel),
    };
  }
  return second === undefined ? { kind: "one", test } : { kind: "several", tests: found };
}

function words(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_]+/gu, " ")
    .trim();
}
