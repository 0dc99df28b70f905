/** A past as a busy team would have it: several projects, branches and people, and one build in six that did not pass. */
import type { z } from "zod";
import type { Build } from "../src/builds/build.ts";

const PEOPLE = ["ada", "bob", "eve", "dan", "mallory"];
const STEPS = ["image", "tests", "publish"];
const EVERY_MS = 7 * 60_000;

/** The build of that number when `newest` is the last: a few minutes apart, four branches of five named after the work on them. */
export function pastBuild(number: number, newest: number, projects: readonly string[]): z.input<typeof Build> {
  const pick = <Item>(items: readonly Item[], factor: number, fallback: Item): Item =>
    items[Math.floor(number * factor) % items.length] ?? fallback;
  const project = pick(projects, 1, "docker");
  const branch = number % 3 === 0 ? `fix-${Math.floor(number / 40)}` : "main";
  const author = pick(PEOPLE, 0.7, "bob");
  const startMs = Date.now() - (newest - number + 2) * EVERY_MS;
  const at = (ms: number): string => new Date(startMs + ms).toISOString();
  const lengthMs = 60_000 + ((number * 7_919) % 400_000);
  const failed = number % 6 === 0;
  const times = { startedAt: at(0), finishedAt: at(lengthMs) };
  const room = { network: "libera", kind: "channel", name: "#docker-dev" } as const;
  return {
    number,
    project,
    ref: branch,
    revision: {
      sha: number.toString(16).padStart(40, "a"),
      kind: "branch",
      ref: branch,
      title: `storage: retry on 503, the ${number % 9}th time`,
      author,
      committedAt: at(-60_000),
    },
    requester: { name: pick(PEOPLE, 0.3, "ada"), displayName: "ada", network: "libera", room },
    params: {},
    attempt: 1,
    requestedAt: at(-2_000),
    state: failed ? { kind: "failed", ...times, reason: "step tests, exit 1" } : { kind: "passed", ...times },
    steps: STEPS.map((name) => ({
      name,
      kind: name === "image" ? "build" : "run",
      state: failed && name === "tests" ? "failed" : "passed",
      startedAt: at(0),
      durationMs: Math.round(lengthMs / STEPS.length),
      exitCode: failed && name === "tests" ? 1 : 0,
    })),
    results: {
      tests: { total: 1_204, failed: 0, skipped: 3, durationMs: lengthMs, failing: [], flaky: [], slowest: [] },
      coverage: {
        totals: { unit: "lines", covered: 6_000 + (number % 500), total: 10_000 },
        change: { kind: "missing" },
      },
    },
  };
}
