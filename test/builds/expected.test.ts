/** The time a build may be expected to take, and the line of those that wait. */
import { expect, test } from "vitest";
import { Build } from "../../src/builds/build.ts";
import { expectedPhrase, expectedTimes, progressPhrase } from "../../src/builds/expected.ts";
import { forecast } from "../../src/builds/forecast.ts";
import { progressLine } from "../../src/builds/progress.ts";
import { ADA, ago, NOW, revisionOf } from "../support/records.ts";

let number = 0;

function buildOf(state: unknown, changes: Record<string, unknown> = {}): Build {
  number += 1;
  return Build.parse({
    number,
    project: "docker",
    ref: "main",
    revision: revisionOf("0"),
    requester: ADA,
    params: {},
    attempt: 1,
    requestedAt: ago(600),
    state,
    steps: [],
    ...changes,
  });
}

const passed = (seconds: number, changes?: Record<string, unknown>): Build =>
  buildOf({ kind: "passed", startedAt: ago(seconds), finishedAt: ago(0) }, changes);
const running = (seconds: number): Build => buildOf({ kind: "running", startedAt: ago(seconds), worker: "big-1" });
const queued = (): Build => buildOf({ kind: "queued" }, { attempt: 0 });
const SECOND = 1_000;

test("nothing to go by is said in words", () => {
  expect(expectedTimes([])).toBeUndefined();
  expect(expectedPhrase(undefined)).toBe("no earlier build to tell the time from");
  expect(progressPhrase(5 * SECOND, undefined)).toBe(", no earlier build to tell the time from");
});

test("the median and the 90th percentile of the last 20 builds that passed in whole", () => {
  const times = Array.from({ length: 20 }, (_, index) => 101 + index);
  const history = [
    buildOf({ kind: "failed", startedAt: ago(1), finishedAt: ago(0), reason: "exit 1" }),
    passed(2, { onlySteps: ["tests"] }),
    ...times.map((seconds) => passed(seconds)),
    passed(9_999),
  ];
  expect(expectedTimes(history)).toEqual({ medianMs: 110.5 * SECOND, p90Ms: 118 * SECOND, from: 20 });
  expect(expectedPhrase(expectedTimes(history))).toBe("about 1m51s, 90% within 1m58s");
  expect(expectedPhrase(expectedTimes([passed(190)]))).toBe("about 3m10s");
});

test("a branch of its own pace is measured by its own builds once there are three", () => {
  const slow = revisionOf("1", { ref: Build.shape.ref.parse("release") });
  const main = [passed(10), passed(10), passed(10), passed(10)];
  const release = [passed(100, { revision: slow }), passed(100, { revision: slow })];
  expect(expectedTimes([...main, ...release], "release")?.medianMs).toBe(10 * SECOND);
  release.push(passed(100, { revision: slow }));
  expect(expectedTimes([...main, ...release], "release")?.medianMs).toBe(100 * SECOND);
  expect(expectedTimes([...main, ...release], "main")?.medianMs).toBe(10 * SECOND);
});

test("the bar says the 90th percentile, what is longer than usual, and where nothing is known", () => {
  const build = running(60);
  const line = (medianMs: number, p90Ms: number) => progressLine(build, NOW, { medianMs, p90Ms, from: 9 }).facts.at(-1);
  expect(line(120 * SECOND, 180 * SECOND)).toBe("▓▓▓▓▓▓▓▓░░░░░░░░ 1m00s of about 2m00s, 90% within 3m00s");
  expect(line(30 * SECOND, 45 * SECOND)).toBe("▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ 1m00s, longer than usual: 90% took 45s at most");
  expect(progressLine(build, NOW, undefined).facts.at(-1)).toBe("1m00s, no earlier build to tell the time from");
});

test("what waits begins when the slots before it are free, in order", () => {
  const first = running(60);
  const second = running(10);
  const waiting = [queued(), queued(), queued()];
  const expected = () => ({ medianMs: 100 * SECOND, p90Ms: 150 * SECOND, from: 5 });
  const told = forecast({ running: [first, second], queued: waiting, slots: 2, expected }, NOW);
  expect(told.get(first.number)).toEqual({ before: 0, beginsInMs: 0, endsInMs: 40 * SECOND });
  expect(waiting.map((build) => told.get(build.number))).toEqual([
    { before: 0, beginsInMs: 40 * SECOND, endsInMs: 140 * SECOND },
    { before: 1, beginsInMs: 90 * SECOND, endsInMs: 190 * SECOND },
    { before: 2, beginsInMs: 140 * SECOND, endsInMs: 240 * SECOND },
  ]);
});

test("nothing is promised that hangs on a build of unknown length, or on a worker that is not there", () => {
  const unknown = running(10);
  const waiting = [queued(), queued()];
  const expected = (build: Build) =>
    build === unknown ? undefined : { medianMs: 100 * SECOND, p90Ms: 150 * SECOND, from: 5 };
  const alone = forecast({ running: [unknown], queued: waiting, slots: 1, expected }, NOW);
  expect(waiting.map((build) => alone.get(build.number)?.beginsInMs)).toEqual([undefined, undefined]);
  const beside = forecast({ running: [unknown], queued: waiting, slots: 2, expected }, NOW);
  expect(waiting.map((build) => beside.get(build.number)?.beginsInMs)).toEqual([0, 100 * SECOND]);
  const nobody = forecast({ running: [], queued: waiting, slots: 0, expected }, NOW);
  expect(waiting.map((build) => nobody.get(build.number)?.beginsInMs)).toEqual([undefined, undefined]);
});

test("a build past its median ends by the 90th percentile, and past that at any moment", () => {
  const expected = () => ({ medianMs: 100 * SECOND, p90Ms: 150 * SECOND, from: 5 });
  const ends = (seconds: number) => {
    const build = running(seconds);
    return forecast({ running: [build], queued: [], slots: 1, expected }, NOW).get(build.number)?.endsInMs;
  };
  expect([ends(90), ends(120), ends(300)]).toEqual([10 * SECOND, 30 * SECOND, 0]);
});
