/** `releases:` — how a project's versions are approved, signed and published. */
import { z } from "zod";
import { ProjectName } from "../names.ts";
import { stepProblems } from "../pipeline/step-rules.ts";
import { writtenStep } from "../pipeline/written-step.ts";
import { pathPattern } from "../results/path-pattern.ts";
import { toIssue } from "../yaml-issues.ts";
import { type Bucket, bucketKeys, bucketName, toBucket } from "./buckets.ts";
import { cron, timezone } from "./cron.ts";
import {
  choice,
  count,
  duration,
  flag,
  httpUrl,
  list,
  mapping,
  oneOrMany,
  scalar,
  secret,
  section,
  text,
  textLike,
} from "./scalars.ts";
import type { Secret } from "./secret.ts";

const SMOKE_STEPS_MAX = 20;

/** How a sum is computed; also the ending of the file that has it. */
export const ChecksumKind = choice(["sha256", "md5"]);
export type ChecksumKind = z.output<typeof ChecksumKind>;

/** The images that a smoke test makes are named so, in its log and beside its steps. */
export const SMOKE_IMAGE = "release-image-";

const { name, run, image, env, services, timeout, idle } = writtenStep.shape;
const smokeStep = section({
  name: name.refine((value) => !value.startsWith(SMOKE_IMAGE), `a name that does not begin with ${SMOKE_IMAGE}`),
  run,
  image: image.unwrap(),
  env,
  services,
  timeout,
  idle,
});
export type SmokeStep = z.output<typeof smokeStep>;

const smokeTest = list(smokeStep, "steps")
  .max(SMOKE_STEPS_MAX, `at most ${SMOKE_STEPS_MAX} steps`)
  .superRefine((steps, context) => {
    for (const problem of stepProblems(steps)) context.addIssue(toIssue(problem));
  });

/** What is published of a build's artifacts, and under which name. */
export interface ReleaseFile {
  /** Which artifacts: a path pattern (results/path-pattern.ts). */
  readonly from: string;
  /** A template of the name below the version's folder; undefined: the artifact's own base name. */
  readonly to: string | undefined;
}

/** A text that stands for the latest version, in which {url}, {project}, {version} and {date} are filled in. */
export type ReleaseIndex = { readonly to: string } & (
  | { /** An artifact that is such a text. */ readonly from: string }
  | { readonly text: string }
);

/** Nights: published without anybody's word, from a revision that passed. */
export interface NightlyReleaseConfig {
  readonly at: string;
  /** Undefined: that of the whole configuration. */
  readonly timezone: string | undefined;
  /** Where to; undefined: where the project's releases go. */
  readonly target: Bucket | undefined;
  /** As of a release, with {date} for the night. */
  readonly layout: string;
  readonly latest: string;
  /** As of a release, of the newest night. */
  readonly latestFiles: string | undefined;
  /** How many nights stay in the bucket. */
  readonly keep: number;
}

export interface ReleaseConfig {
  readonly target: Bucket;
  /** Path of the private key's file, or its id in the keyring of the user who runs docker-ci. */
  readonly gpgKey: string | undefined;
  /** The private key itself, armoured: for those who keep it in the environment. */
  readonly gpgPrivateKey: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly approvals: number;
  readonly expiresMs: number;
  /** Whether the one who asked may approve: for teams of one. */
  readonly ownApproval: boolean;
  /** Empty: every artifact of the build. */
  readonly files: readonly ReleaseFile[];
  /** A template of keys with {project}, {version} and, at its end, {file}: what stands in front is a version's own. */
  readonly layout: string;
  /** A template with {project}: the key of the object that names the latest version. */
  readonly latest: string;
  /** Sums that stand in a file of their own beside each file, such as docker.tgz.md5; SHA256SUMS has them in any case. */
  readonly checksums: readonly ChecksumKind[];
  /**
   * A template with {project} and, at its end, {file}: the keys of copies of the latest version's files, in whose names the version
   * is `latest`; undefined: none.
   */
  readonly latestFiles: string | undefined;
  /** What {os} and {arch} in a file's name stand for: names in the paths of artifacts, such as amd64, to those that are published. */
  readonly osNames: Readonly<Record<string, string>>;
  readonly archNames: Readonly<Record<string, string>>;
  /** Texts that say how the latest version is had. */
  readonly index: readonly ReleaseIndex[];
  /** Keys, in which {project} may stand, to where whoever asks for them is sent: an address, or a path in the bucket. */
  readonly redirects: Readonly<Record<string, string>>;
  /** Where people download from; undefined: the bucket's own address. */
  readonly address: string | undefined;
  /** Run with the files that will be published, in the folder /release, before any is uploaded; empty: nothing is. */
  readonly smokeTest: readonly SmokeStep[];
  /** A template of the git tag that is set, such as v{version}; undefined: none. */
  readonly tag: string | undefined;
  /** Whether the forge gets a release with notes. */
  readonly forgeRelease: boolean;
  /** When what is served is compared with the signed manifest; undefined: only when somebody asks. */
  readonly verifyAt: string | undefined;
  readonly nightly: NightlyReleaseConfig | undefined;
}

/** As `uname` has them (O-95). */
const OS_NAMES = { darwin: "Darwin", freebsd: "FreeBSD", linux: "Linux", windows: "Windows" };
const ARCH_NAMES = { "386": "i386", amd64: "x86_64", arm: "armel", arm64: "aarch64" };

/** Parts between slashes, none of them empty or made of dots, in which only these names stand in braces. */
function template(names: readonly string[], also: (value: string) => boolean, allowed: string) {
  return scalar(allowed, (value) => {
    const parts = value.split("/");
    const isPath = /^[^\s\p{Cc}\\]{1,512}$/u.test(value) && parts.every((part) => !/^\.{0,2}$/.test(part));
    const filledIn = names.reduce((rest, name) => rest.replaceAll(`{${name}}`, ""), value);
    return isPath && !/[{}]/.test(filledIn) && also(value) ? value : undefined;
  });
}

/** What stands in front of {file} is the folder of one version. */
function layoutOf(version: "version" | "date") {
  const ends = (value: string): boolean =>
    value.endsWith("/{file}") &&
    value.indexOf("{file}") > value.indexOf(`{${version}}`) &&
    value.includes(`{${version}}`);
  return template(
    ["project", version, "file"],
    (value) => ends(value) && value.split("{file}").length === 2,
    `a path with {${version}}, ending in /{file}, such as ${version === "date" ? "{project}/nightly/{date}/{file}" : "{project}/{version}/{file}"}`,
  );
}

/** The names of copies that always are the latest. */
const latestFiles = template(
  ["project", "file"],
  (value) => value.endsWith("{file}") && value.split("{file}").length === 2,
  "a path ending in {file}, in which {project} may stand, such as {project}/{file}",
);

const pointerAllowed = "a path without a slash in front, in which {project} may stand";
const pointer = template(["project"], () => true, pointerAllowed);

const INDEX_LENGTH = 65_536;
const index = section({
  to: pointer,
  from: text("a path of an artifact, such as install.sh").optional(),
  text: scalar(`text of at most ${INDEX_LENGTH} characters`, (value) =>
    value.length <= INDEX_LENGTH ? value : undefined,
  ).optional(),
}).transform((written, context): ReleaseIndex => {
  const { to, from, text: given } = written;
  if (from !== undefined && given === undefined) return { to, from };
  if (from === undefined && given !== undefined) return { to, text: given };
  context.addIssue({ code: "custom", message: "a mapping with to, and either from or text" });
  return z.NEVER;
});
const indexes = z.preprocess(
  (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? [value] : value),
  list(index, "mappings with to and from, or to and text"),
);

const redirects = mapping(
  z.string().refine((key) => pointer.safeParse(key).success, pointerAllowed),
  textLike(/^(https?:\/\/|\/)[^\s\p{Cc}]{0,1000}$/u, "an address, or a path in the bucket that begins with a slash"),
  "a mapping of keys to addresses, such as { builds/info: /builds/ }",
);

const file = section({
  from: scalar("a path pattern of at most 1,000 characters, such as dist/**", (value) =>
    value.trim() !== "" && pathPattern(value.trim(), "/") !== undefined ? value.trim() : undefined,
  ),
  to: template(
    ["project", "version", "date", "file", "os", "arch"],
    () => true,
    "a path without a slash in front, in which {project}, {version}, {date}, {file}, {os} and {arch} may stand",
  ).optional(),
}).transform((written): ReleaseFile => ({ from: written.from, to: written.to }));

/** A pattern by itself is `from`. */
const files = oneOrMany(
  z.preprocess((value) => (typeof value === "string" ? { from: value } : value), file),
  "path patterns, or of mappings with from and to",
);

const nightlyKeys = {
  at: cron.prefault("0 7 * * *"),
  timezone: timezone.optional(),
  bucket: bucketName.optional(),
  ...bucketKeys,
  layout: layoutOf("date").default("{project}/nightly/{date}/{file}"),
  latest: pointer.default("{project}/nightly/latest"),
  latest_files: latestFiles.optional(),
  keep: count(1, 10_000).default(30),
};

/** O-33: seven o'clock in UTC. */
const SEVEN_UTC = { at: "0 7 * * *", timezone: "Etc/UTC" };

/** `true` is every default, `false` none. */
const nightly = z.preprocess((value, context) => {
  if (value === undefined || String(value) === "false") return undefined;
  if (String(value) === "true") return SEVEN_UTC;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  context.addIssue({
    code: "custom",
    message: `true, false, or a mapping with the keys ${Object.keys(nightlyKeys).join(", ")}`,
  });
  return z.NEVER;
}, section(nightlyKeys).optional());

const names = mapping(
  textLike(/^[a-z0-9_]{1,32}$/, "a name of lower-case letters, digits and '_'"),
  textLike(/^[A-Za-z0-9_.-]{1,32}$/, "a name of letters, digits, '.', '_' and '-'"),
  "a mapping of names to names, such as { amd64: x86_64 }",
);

const release = section({
  bucket: bucketName,
  ...bucketKeys,
  gpg_key: text("a key's file or id").optional(),
  gpg_private_key: secret.optional(),
  passphrase: secret.optional(),
  approvals: count(1, 50).default(1),
  expires: duration.prefault("24h"),
  own_approval: flag.default(false),
  files: files.default([]),
  layout: layoutOf("version").default("{project}/{version}/{file}"),
  latest: pointer.default("{project}/latest"),
  checksums: oneOrMany(ChecksumKind, "sha256 and md5")
    .default([])
    .transform((kinds) => [...new Set(kinds)]),
  latest_files: latestFiles.optional(),
  index: indexes.default([]),
  redirects: redirects.default({}),
  address: httpUrl.optional(),
  smoke_test: smokeTest.default([]),
  os_names: names.default({}),
  arch_names: names.default({}),
  tag: template(
    ["project", "version", "date"],
    (value) => value.includes("{version}"),
    "a tag's name with {version}, such as v{version}",
  ).optional(),
  forge_release: flag.default(false),
  verify: cron.optional(),
  nightly: nightly.optional(),
}).transform(
  (written): ReleaseConfig => ({
    target: toBucket(written.bucket, written),
    gpgKey: written.gpg_key,
    gpgPrivateKey: written.gpg_private_key,
    passphrase: written.passphrase,
    approvals: written.approvals,
    expiresMs: written.expires,
    ownApproval: written.own_approval,
    files: written.files,
    layout: written.layout,
    latest: written.latest,
    checksums: written.checksums,
    latestFiles: written.latest_files,
    index: written.index,
    redirects: written.redirects,
    address: written.address,
    smokeTest: written.smoke_test,
    osNames: { ...OS_NAMES, ...written.os_names },
    archNames: { ...ARCH_NAMES, ...written.arch_names },
    tag: written.tag,
    forgeRelease: written.forge_release,
    verifyAt: written.verify,
    nightly: written.nightly && toNightly(written.nightly, written),
  }),
);

type WrittenBucket = z.output<z.ZodObject<typeof bucketKeys>>;

function toNightly(
  { at, timezone, bucket, layout, latest, latest_files, keep, ...own }: z.output<z.ZodObject<typeof nightlyKeys>>,
  release: WrittenBucket & { readonly bucket: string },
): NightlyReleaseConfig {
  const isOwn = bucket !== undefined || Object.values(own).some((value) => value !== undefined);
  const target = isOwn ? toBucket(bucket ?? release.bucket, withMissing(own, release)) : undefined;
  return { at, timezone, target, layout, latest, latestFiles: latest_files, keep };
}

/** At the same server what is not said is as for releases; the keys of one server are nothing for another. */
function withMissing(own: WrittenBucket, release: WrittenBucket): WrittenBucket {
  if (own.endpoint !== undefined && own.endpoint !== release.endpoint) return own;
  const hasKeys = own.access_key !== undefined || own.secret_key !== undefined;
  return {
    endpoint: own.endpoint ?? release.endpoint,
    region: own.region ?? release.region,
    access_key: hasKeys ? own.access_key : release.access_key,
    secret_key: hasKeys ? own.secret_key : release.secret_key,
    path_style: own.path_style ?? release.path_style,
    storage_class: own.storage_class ?? release.storage_class,
  };
}

export const releases = mapping(ProjectName, release, "a mapping of projects to release settings").transform(
  (entries): ReadonlyMap<ProjectName, ReleaseConfig> =>
    new Map(Object.entries(entries).map(([name, settings]) => [ProjectName.parse(name), settings])),
);

/** Whether `gpg_key` is a file: a key's id has neither a slash nor such an ending. */
export function isKeyFile(key: string): boolean {
  return key.includes("/") || /\.(asc|gpg|key|pgp)$/i.test(key);
}
