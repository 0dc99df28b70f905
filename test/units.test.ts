/** Times and sizes as they are typed and as they are shown. */
import { describe, expect, test } from "vitest";
import { formatAge, formatBytes, formatCount, formatDuration, parseDuration, parseSize } from "../src/units.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  ["60s", MINUTE],
  ["10m", 10 * MINUTE],
  ["24h", DAY],
  ["90d", 90 * DAY],
  ["2w", 14 * DAY],
  ["250ms", 250],
  ["1.5h", 90 * MINUTE],
  ["1h30m", 90 * MINUTE],
  ["2m58s", 178 * SECOND],
  ["0s", 0],
])("the time %s is %d ms", (typed, expected) => {
  expect(parseDuration(typed)).toBe(expected);
});

test.each([
  ["60"],
  [""],
  ["m"],
  ["10 m"],
  ["-5s"],
  ["10M"],
  ["1e3s"],
  ["five minutes"],
  ["10m "],
  ["999999999w999999999w"],
])("%j is no time", (typed) => {
  expect(parseDuration(typed)).toBeUndefined();
});

test.each([
  ["4g", 4 * 1024 ** 3],
  ["512m", 512 * 1024 ** 2],
  ["1k", 1024],
  ["1024", 1024],
  ["100b", 100],
  ["1.5G", 1.5 * 1024 ** 3],
  ["64KiB", 65536],
  ["2TB", 2 * 1024 ** 4],
  ["0", 0],
])("the size %s is %d bytes", (typed, expected) => {
  expect(parseSize(typed)).toBe(expected);
});

test.each([["lots"], [""], ["g"], ["-1g"], ["1 g"], ["4gg"], ["1e9"], ["99999999999999t"]])(
  "%j is no size",
  (typed) => {
    expect(parseSize(typed)).toBeUndefined();
  },
);

describe("what something took", () => {
  test.each([
    [0, "0.0s"],
    [-5, "0.0s"],
    [4_120, "4.1s"],
    [9_949, "9.9s"],
    [9_960, "10s"],
    [58_000, "58s"],
    [59_700, "1m00s"],
    [178_000, "2m58s"],
    [190_000, "3m10s"],
    [HOUR - 200, "1h00m"],
    [HOUR + 2 * MINUTE, "1h02m"],
    [DAY - 1, "1d00h"],
    [DAY + 3 * HOUR, "1d03h"],
  ])("%d ms is %s", (durationMs, expected) => {
    expect(formatDuration(durationMs)).toBe(expected);
  });
});

describe("an age", () => {
  test.each([
    [0, "0s"],
    [40_999, "40s"],
    [6 * MINUTE + 59 * SECOND, "6m"],
    [41 * MINUTE, "41m"],
    [9 * HOUR + 12 * MINUTE, "9h12m"],
    [HOUR, "1h00m"],
    [3 * DAY + 5 * HOUR, "3d"],
  ])("of %d ms is %s", (ageMs, expected) => {
    expect(formatAge(ageMs)).toBe(expected);
  });
});

test.each([
  [1204, "1,204"],
  [0, "0"],
  [999, "999"],
  [1234567, "1,234,567"],
])("the count %d reads %s", (count, expected) => {
  expect(formatCount(count)).toBe(expected);
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [1024 ** 2 - 1, "1 MiB"],
  [4 * 1024 ** 3, "4 GiB"],
  [5000 * 1024 ** 4, "5000 TiB"],
])("%d bytes read %s", (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});
