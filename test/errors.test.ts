/** What people read of an error. */
import { expect, test } from "vitest";
import { describeError } from "../src/errors.ts";

test("causes stand behind a message, and not again where the message has them in it", () => {
  const cause = new Error("connect ECONNREFUSED");
  expect(describeError(new Error("no mail was sent", { cause }))).toBe("no mail was sent: connect ECONNREFUSED");
  expect(describeError(new Error("no mail (connect ECONNREFUSED)", { cause }))).toBe("no mail (connect ECONNREFUSED)");
  const fetched = new TypeError("fetch failed", { cause });
  expect(describeError(fetched)).toBe("connect ECONNREFUSED");
  expect(describeError(new Error("no answer (connect ECONNREFUSED)", { cause: fetched }))).toBe(
    "no answer (connect ECONNREFUSED)",
  );
});
