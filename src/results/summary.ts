/** What a build's tests came to, as the records keep it: small, while the whole of it lies in the data folder. */
import { z } from "zod";
import { BuildNumber, Sha, StepName } from "../names.ts";
import { CoverageTotals } from "./coverage.ts";
import { FailingTest, TestName } from "./test-case.ts";

/** How many failing tests a record names; the count beside them is whole. */
export const FAILING_KEPT = 20;
export const SLOWEST_KEPT = 5;
export const PACKAGES_KEPT = 40;
/** How many files a record names as artifacts. */
export const ARTIFACTS_KEPT = 200;

export const TestSummary = z.strictObject({
  total: z.number().int().nonnegative(),
  failed: z.number().int().nonnegative(),
  skipped: z.number().int().nonnegative(),
  /** The sum of the tests' own times, in milliseconds. */
  durationMs: z.number().nonnegative(),
  failing: z.array(FailingTest),
  /** Failed first and passed when the step was run again at the same revision. */
  flaky: z.array(TestName),
  slowest: z.array(TestName.extend({ durationMs: z.number().nonnegative() })),
});
export type TestSummary = z.infer<typeof TestSummary>;

/** The tests of one suite, and the coverage of the folder that has its name: of a Go package both are known. */
export const PackageResult = z.strictObject({
  name: z.string(),
  tests: z.number().int(),
  failed: z.number().int(),
  durationMs: z.number().nonnegative(),
  coverage: z.strictObject({ covered: z.number().int(), total: z.number().int() }).optional(),
});
export type PackageResult = z.infer<typeof PackageResult>;

/** A file that the build left behind, as it lies under `artifacts/<n>/`. */
export const Artifact = z.strictObject({
  path: z.string(),
  bytes: z.number().int().nonnegative(),
  /** A PNG, a JPEG or a WebP. */
  picture: z.boolean().optional(),
});
export type Artifact = z.infer<typeof Artifact>;

/** How the tests compare with those of an earlier build. */
export const TestComparison = z.strictObject({
  against: BuildNumber,
  newlyFailing: z.number().int(),
  fixed: z.number().int(),
  stillFailing: z.number().int(),
  added: z.number().int(),
  gone: z.number().int(),
});
export type TestComparison = z.infer<typeof TestComparison>;

export const CoverageResult = z.strictObject({
  totals: CoverageTotals,
  /** What it is compared with, or why it cannot be. */
  change: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("since"), build: BuildNumber, totals: CoverageTotals }),
    /** No build of that commit has coverage. */
    z.strictObject({ kind: z.literal("missing"), sha: Sha.optional() }),
  ]),
  /** Of the lines that the change touched. */
  patch: z.strictObject({ covered: z.number().int(), total: z.number().int() }).optional(),
  /** The tests did not all pass, so it is a part of the truth (O-61). */
  partial: z.boolean().optional(),
});
export type CoverageResult = z.infer<typeof CoverageResult>;

/** Why a build did not pass, in the few lines of its log that say so; masked as the log is. */
export const Explanation = z.strictObject({
  kind: z.enum(["tests", "build", "dependencies", "memory", "time", "disk", "network", "registry", "git", "command"]),
  step: StepName.optional(),
  /** The most telling line, at most 300 characters. */
  line: z.string(),
  /** The number of that line in the log, from 1. */
  logLine: z.number().int().positive().optional(),
  /** At most five, the telling one among them. */
  excerpt: z.array(z.string()),
  /** Files of the repository that it names. */
  files: z.array(z.string()),
  /** The same for failures that are the same but for times, addresses and numbers. */
  signature: z.string(),
});
export type Explanation = z.infer<typeof Explanation>;

/** Steps of a failed build that can be entered for a while, as it was asked for. */
export const KeptWorkspaces = z.strictObject({
  until: z.iso.datetime(),
  /** How each is entered, on the machine of its worker. */
  steps: z.array(z.strictObject({ step: z.string(), command: z.string() })),
  /** Why not all of them are kept, as a phrase. */
  problem: z.string().optional(),
});
export type KeptWorkspaces = z.infer<typeof KeptWorkspaces>;

/** What a build left behind, put together when it is over. */
export const BuildResults = z.strictObject({
  tests: TestSummary.optional(),
  comparison: TestComparison.optional(),
  /** Those that failed first, at most PACKAGES_KEPT; missing where all tests stand in one. */
  packages: z
    .strictObject({
      /** Packages where their names are paths, as Go's are. */
      word: z.enum(["packages", "suites"]),
      count: z.number().int(),
      shown: z.array(PackageResult),
    })
    .optional(),
  coverage: CoverageResult.optional(),
  explanation: Explanation.optional(),
  artifacts: z.array(Artifact).optional(),
  kept: KeptWorkspaces.optional(),
  /** Why its log and files were not with the bot when it ended, as a phrase; missing where they were. */
  undelivered: z.string().optional(),
});
export type BuildResults = z.infer<typeof BuildResults>;
