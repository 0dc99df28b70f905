/** The record of a release: a version that awaits approval, then is built, signed, published and verified. */
import { z } from "zod";
import { Requester } from "../builds/build.ts";
import { BuildNumber, GitRef, ProjectName, Sha } from "../names.ts";

/** `R7`: counted from 1, never reused. */
export const ReleaseNumber = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).brand<"ReleaseNumber">();
export type ReleaseNumber = z.infer<typeof ReleaseNumber>;

/** https://semver.org, 2.0.0, without the build metadata; or the date of a night, `2026-11-22`. It stands in addresses. */
export const Version = z
  .string()
  .max(64, "a version of at most 64 characters, such as 1.4.0 or 1.4.0-rc.1")
  .regex(
    /^(?:(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?|\d{4}-\d{2}-\d{2})$/,
    "a version such as 1.4.0 or 1.4.0-rc.1",
  )
  .brand<"Version">();
export type Version = z.infer<typeof Version>;

/** What is approved. Votes name its digest: one that changes makes them void. */
export const ReleasePlan = z.strictObject({
  project: ProjectName,
  version: Version,
  /** `release` builds and publishes; `rollback` moves `latest` to a version that is published already. */
  kind: z.enum(["release", "rollback"]),
  ref: GitRef,
  /** Read from the git server when it was asked for. */
  sha: Sha,
  title: z.string(),
  author: z.string(),
  /** The digest of the pipeline that will run, as the repository or the configuration has it. */
  pipeline: z.string(),
  /** `s3://bucket/project/version/` */
  target: z.string(),
  /** Fingerprint of the key; missing where none is configured. */
  key: z.string().optional(),
  /** The steps that the files are tried with before they are uploaded; missing where there are none. */
  smokeTest: z.array(z.string()).optional(),
  /** Templates of the keys that follow `latest`, such as `docker/{file}`; missing where nothing does. */
  pointers: z.array(z.string()).optional(),
  /** Its build's tests do not decide; one vote more is taken. */
  skipTests: z.literal(true).optional(),
  /** Neither `latest` nor what follows it moves: an old branch's fix. */
  noLatest: z.literal(true).optional(),
  /** What `latest` said. */
  previous: Version.optional(),
  /** The version that `commits` counts from: with `noLatest` the highest that is below; missing where nothing was published, or its revision is not known here. */
  commitsSince: Version.optional(),
  /** Commits since then, newest first, cut at 50; of a rollback, those that are taken back. */
  commits: z.array(z.strictObject({ sha: Sha, author: z.string(), title: z.string() })),
  commitsCut: z.boolean(),
  /** The newest finished build of that revision, and how it stands. */
  build: z
    .strictObject({
      number: BuildNumber,
      state: z.string(),
      tests: z.number().optional(),
      coverage: z.number().optional(),
      /** How many of its artifacts would be published. */
      files: z.number().int().nonnegative().optional(),
    })
    .optional(),
  /** Votes that it takes; one more with `--force`, and one with `--skip-tests`. */
  approvals: z.number().int().positive(),
  /** Who may approve when it was asked for; checked again at the vote and at publishing. */
  approvers: z.array(z.string()),
  /** Asked for although it is not above the last. */
  forced: z.boolean(),
  /** Phrases of what stood in its way when it was asked for: a bucket that does not answer, no key. */
  warnings: z.array(z.string()).optional(),
});
export type ReleasePlan = z.infer<typeof ReleasePlan>;

export const Vote = z.strictObject({
  /** The person's name in the configuration. */
  by: z.string(),
  network: z.string(),
  at: z.iso.datetime(),
  digest: z.string(),
  /** Names the message or form that it came with: brought again, it is the same vote. */
  asked: z.string().optional(),
});
export type Vote = z.infer<typeof Vote>;

/** In this order; each is recorded before it begins, and may be done again when it was cut short. */
export const PUBLISH_STEPS = [
  "check",
  "build",
  "collect",
  "smoke-test",
  "sign",
  "upload",
  "verify",
  "latest",
  "pointers",
  "tag",
  "announce",
] as const;
export const PublishStep = z.enum(PUBLISH_STEPS);
export type PublishStep = z.infer<typeof PublishStep>;

/** Those that a plan takes. A rollback builds nothing: it moves `latest` to what is there, and found good. */
export function stepsOf({
  kind,
  noLatest,
  pointers,
  smokeTest,
}: Pick<ReleasePlan, "kind" | "noLatest" | "pointers" | "smokeTest">): PublishStep[] {
  const left: readonly PublishStep[] = [
    ...(kind === "rollback" ? (["build", "collect", "smoke-test", "sign", "upload", "tag"] as const) : []),
    ...(smokeTest === undefined ? (["smoke-test"] as const) : []),
    ...(noLatest === true ? (["latest", "pointers"] as const) : []),
    ...(pointers === undefined ? (["pointers"] as const) : []),
  ];
  return PUBLISH_STEPS.filter((step) => !left.includes(step));
}

export const ReleaseState = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("waiting"), expiresAt: z.iso.datetime() }),
  /** Has its votes, or needs none; whoever drives releases takes it from here. */
  z.strictObject({
    kind: z.literal("publishing"),
    startedAt: z.iso.datetime(),
    step: PublishStep,
    build: BuildNumber.optional(),
    /** What `latest` said before it was moved, with the etag: what a rollback of this attempt goes back to. */
    latestBefore: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal("published"),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    build: BuildNumber.optional(),
    files: z.number().int(),
    bytes: z.number().int(),
    /** Of the manifest. */
    sha256: z.string(),
    /** Sentences of what did not work besides: a tag that could not be set. */
    warnings: z.array(z.string()),
  }),
  z.strictObject({
    kind: z.literal("failed"),
    finishedAt: z.iso.datetime(),
    step: PublishStep,
    build: BuildNumber.optional(),
    reason: z.string(),
    /** The last that was printed by what failed. */
    lines: z.array(z.string()).optional(),
  }),
  z.strictObject({
    kind: z.literal("rejected"),
    finishedAt: z.iso.datetime(),
    by: z.string(),
    reason: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal("expired"), finishedAt: z.iso.datetime() }),
  /** The revision, the pipeline or who may approve is no more what was voted on. */
  z.strictObject({ kind: z.literal("refused"), finishedAt: z.iso.datetime(), reason: z.string() }),
]);
export type ReleaseState = z.infer<typeof ReleaseState>;

export const Release = z.strictObject({
  number: ReleaseNumber,
  /** `person` waited for approvals; `nightly` needs none. */
  origin: z.enum(["person", "nightly"]),
  plan: ReleasePlan,
  /** SHA-256 of the plan's canonical JSON. */
  digest: z.string(),
  requester: Requester,
  /** `Identity.key` of the requester: all their accounts have it, and nobody else's. Missing where nobody asked. */
  askedBy: z.string().optional(),
  requestedAt: z.iso.datetime(),
  votes: z.array(Vote),
  state: ReleaseState,
  /** Grows with every change: what a compare-and-set compares. */
  change: z.number().int().nonnegative(),
});
export type Release = z.infer<typeof Release>;

export type FinalReleaseState = Exclude<ReleaseState, { kind: "waiting" | "publishing" }>;

/** `R7` */
export function releaseName({ number }: Pick<Release, "number">): string {
  return `R${number}`;
}

export function isOver(release: Release): release is Release & { readonly state: FinalReleaseState } {
  return release.state.kind !== "waiting" && release.state.kind !== "publishing";
}
