/** `backup:` — when, where to, and how many are kept. */
import { type Bucket, bucketKeys, bucketName, toBucket } from "./buckets.ts";
import { cron } from "./cron.ts";
import { count, flag, list, secret, section } from "./scalars.ts";
import type { Secret } from "./secret.ts";

/** How many backups stay: the newest of so many days, weeks and months that have one. */
export interface BackupKeep {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface BackupConfig {
  /** In the configuration's time zone. */
  readonly at: string;
  readonly keep: BackupKeep;
  /** None: only in the data folder. */
  readonly targets: readonly Bucket[];
  /** Whether the artifacts of builds go along. */
  readonly artifacts: boolean;
  /** Archives are encrypted with it; undefined: they are not. */
  readonly passphrase: Secret | undefined;
}

const keep = count(1, 10_000)
  .transform((daily): BackupKeep => ({ daily, weekly: 0, monthly: 0 }))
  .or(
    section({
      daily: count(1, 10_000).default(14),
      weekly: count(0, 1_000).default(0),
      monthly: count(0, 1_000).default(0),
    }),
  );

const target = section({ bucket: bucketName, ...bucketKeys }).transform(({ bucket, ...keys }) =>
  toBucket(bucket, keys),
);

export const backup = section({
  at: cron.prefault("0 7 * * *"),
  keep: keep.prefault(14),
  bucket: bucketName.optional(),
  ...bucketKeys,
  /** Further ones. */
  targets: list(target, "mappings with bucket").default([]),
  artifacts: flag.default(false),
  passphrase: secret.optional(),
}).transform(
  (written): BackupConfig => ({
    at: written.at,
    keep: written.keep,
    targets: [...(written.bucket === undefined ? [] : [toBucket(written.bucket, written)]), ...written.targets],
    artifacts: written.artifacts,
    passphrase: written.passphrase,
  }),
);
