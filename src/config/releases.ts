/** `releases:` — how a project's versions are approved, signed and published. */
import { ProjectName } from "../names.ts";
import { type Bucket, bucketKeys, bucketName, toBucket } from "./buckets.ts";
import { cron } from "./cron.ts";
import { count, duration, flag, mapping, oneOrMany, scalar, secret, section, text, textLike } from "./scalars.ts";
import type { Secret } from "./secret.ts";

/** What is published of a build's artifacts, and under which name. */
export interface ReleaseFile {
  /** Which artifacts: a path pattern (results/path-pattern.ts). */
  readonly from: string;
  /** A template of the name below the version's folder; undefined: the artifact's own base name. */
  readonly to: string | undefined;
}

/** Nights: published without anybody's word, from a revision that passed. */
export interface NightlyReleaseConfig {
  readonly at: string;
  /** Where to; undefined: where the project's releases go. */
  readonly target: Bucket | undefined;
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
  /** Templates with {project}, {version}, {date}, {file}; {file} stands for the rest of the path. */
  readonly layout: string;
  readonly latest: string;
  /** A template of the git tag that is set, such as v{version}; undefined: none. */
  readonly tag: string | undefined;
  /** Whether the forge gets a release with notes. */
  readonly forgeRelease: boolean;
  /** When what is served is compared with the signed manifest; undefined: only when somebody asks. */
  readonly verifyAt: string | undefined;
  readonly nightly: NightlyReleaseConfig | undefined;
}

const template = textLike(
  /^[^\s\p{Cc}/][^\s\p{Cc}]{0,511}$/u,
  "a path without a slash in front, in which {project}, {version}, {date} and {file} stand for themselves",
);

const file = section({ from: text("a path pattern"), to: template.optional() });
/** A pattern by itself is `from`. */
const files = oneOrMany(
  scalar("a path pattern", (value) => ({ from: value, to: undefined })).or(
    file.transform((written): ReleaseFile => ({ from: written.from, to: written.to })),
  ),
  "path patterns, or of mappings with from and to",
);

const nightlyRelease = section({
  at: cron.prefault("0 7 * * *"),
  bucket: bucketName.optional(),
  ...bucketKeys,
  keep: count(1, 10_000).default(30),
}).transform(
  (written): NightlyReleaseConfig => ({
    at: written.at,
    target: written.bucket === undefined ? undefined : toBucket(written.bucket, written),
    keep: written.keep,
  }),
);

/** `true` is every default; O-33: seven o'clock. */
const nightly = flag
  .transform((on): NightlyReleaseConfig | undefined =>
    on ? { at: "0 7 * * *", target: undefined, keep: 30 } : undefined,
  )
  .or(nightlyRelease);

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
  layout: template.default("{project}/{version}/{file}"),
  latest: template.default("{project}/latest"),
  tag: template.optional(),
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
    tag: written.tag,
    forgeRelease: written.forge_release,
    verifyAt: written.verify,
    nightly: written.nightly,
  }),
);

export const releases = mapping(ProjectName, release, "a mapping of projects to release settings").transform(
  (entries): ReadonlyMap<ProjectName, ReleaseConfig> =>
    new Map(Object.entries(entries).map(([name, settings]) => [ProjectName.parse(name), settings])),
);
