import assert from "node:assert/strict";
import { test } from "node:test";
import { fromNow, inWords } from "../duration.js";

test("a single unit is not in the plural", () => {
  assert.equal(inWords(1), "1 second");
  assert.equal(inWords(3600), "1 hour");
});

test("two units are joined by and", () => {
  assert.equal(inWords(178), "2 minutes and 58 seconds");
});

test("a third unit is left out", () => {
  assert.equal(inWords(2 * 86400 + 5 * 3600 + 7), "2 days and 5 hours");
});

test("nothing takes no time at all", () => {
  assert.equal(inWords(0.2), "no time at all");
});

test("a negative duration is refused", () => {
  assert.throws(() => inWords(-1), RangeError);
});

test("the past is so long ago", () => {
  const now = new Date("2013-07-01T12:00:00Z");
  assert.equal(fromNow(new Date("2013-07-01T11:00:00Z"), now), "1 hour ago");
  assert.equal(fromNow(now, now), "now");
});
