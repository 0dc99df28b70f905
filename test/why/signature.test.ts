/** Which failures are the same one. */
import { expect, test } from "vitest";
import { normalised, signatureOf } from "../../src/why/signature.ts";

test.each([
  ["dial tcp 10.0.0.1:5432: timeout after 1.5s", "dial tcp 192.168.7.12:6000: timeout after 30s"],
  ["/tmp/go-build123/b001/x.test: exit 2", "/tmp/go-build9876543/b042/x.test: exit 2"],
  ["blob 3f2c9aa01b not found", "blob 91bd0c1ff2 not found"],
  ["job 123e4567-e89b-12d3-a456-426614174000 lost", "job 00000000-e89b-12d3-a456-4266141740ff lost"],
  ["goroutine 7 at 0xc00012", "goroutine 19 at 0xdeadbeef"],
  ["2026-03-01T12:00:00Z failed", "2025-11-21T02:13:59Z failed"],
  ["Mar 1, 2026 too late", "Dec 24, 2025 too late"],
])("%s is %s", (one, other) => {
  expect(normalised(one)).toBe(normalised(other));
});

test.each([
  ["expected 201, got nothing", "expected 201, got something"],
  ["TypeError: x is not a function", "TypeError: y is not a function"],
  ["deadbeef cafe", "decade cafe"],
])("%s is not %s", (one, other) => {
  expect(normalised(one)).not.toBe(normalised(other));
});

test("the failing tests belong to it, in any order; so do the kind and the step", () => {
  const a = { suite: "s", name: "A" };
  const b = { suite: "s", name: "B" };
  const failure = { kind: "tests", line: "boom" } as const;
  expect(signatureOf(failure, [a, b])).toBe(signatureOf(failure, [b, a]));
  expect(signatureOf(failure, [a])).not.toBe(signatureOf(failure, [a, b]));
  expect(signatureOf(failure, [])).not.toBe(signatureOf({ ...failure, kind: "build" }, []));
  expect(signatureOf(failure, [])).toMatch(/^[0-9a-f]{12}$/);
});
