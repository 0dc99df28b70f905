/** Everything that docker-ci does besides building: notices, mail, forges, releases, backups, the digest, clearing up. */
import type { z } from "zod";
import { type NetworkName, ProjectName } from "../names.ts";
import { cron } from "./cron.ts";
import { splitAddress } from "./people.ts";
import {
  choice,
  count,
  duration,
  flag,
  httpUrl,
  mapping,
  oneOrMany,
  port,
  scalar,
  secret,
  section,
  text,
  textLike,
} from "./scalars.ts";
import type { Secret } from "./secret.ts";

export const NoticeEvent = choice(["broken", "fixed", "errored", "passed", "failed", "cancelled", "every"]);
export type NoticeEvent = z.output<typeof NoticeEvent>;

export interface RoomAddress {
  readonly network: NetworkName;
  /** As the network names it: `#docker-dev`, a channel id. */
  readonly room: string;
}

export interface NotifyConfig {
  readonly rooms: readonly RoomAddress[];
  readonly on: readonly NoticeEvent[];
}

const room = scalar("a room such as libera/#docker-dev", (value): RoomAddress | undefined => {
  const address = splitAddress(value);
  return address === undefined ? undefined : { network: address.network, room: address.rest };
});

export const notify = section({
  rooms: oneOrMany(room, "rooms such as libera/#docker-dev").default([]),
  on: oneOrMany(NoticeEvent, "events").prefault(["broken", "fixed", "errored"]),
});

/**
 * Whether the connection to the mail server is encrypted: it must be, with a certificate that holds; it is where the server can,
 * whoever it is; or never, for a relay on this machine.
 */
const MailTls = choice(["required", "opportunistic", "off"]);

export interface MailConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: z.output<typeof MailTls>;
  /** Path of a file with the certificates of a private authority, absolute. */
  readonly ca: string | undefined;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly from: string;
  readonly to: readonly string[];
  /** What is mailed of builds; with `failed` among them every failure, not only the first of a row. */
  readonly on: readonly NoticeEvent[];
}

/** `ci@example.org` or `docker-ci <ci@example.org>`; one of them, so no comma outside the name. */
const address = textLike(/^(?:[^\s@<>,;]+@[^\s@<>,;]+|[^<>\r\n]+<[^\s@<>,;]+@[^\s@<>,;]+>)$/, "a mail address");

export const mail = section({
  host: text("a host name"),
  port: port.default(587),
  tls: MailTls.default("required"),
  ca: text("a path").optional(),
  user: text().optional(),
  password: secret.optional(),
  from: address,
  to: oneOrMany(address, "mail addresses").default([]),
  on: oneOrMany(NoticeEvent, "events").prefault(["broken", "fixed", "errored"]),
}).transform((written): MailConfig => ({ ...written, ca: written.ca, user: written.user, password: written.password }));

export interface GithubConfig {
  readonly token: Secret | undefined;
  readonly webhookSecret: Secret | undefined;
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** Whether a pull request gets a comment with its result. */
  readonly comment: boolean;
}

export const github = section({
  token: secret.optional(),
  webhook_secret: secret.optional(),
  api_url: httpUrl.default("https://api.github.com"),
  comment: flag.default(false),
}).transform(
  (written): GithubConfig => ({
    token: written.token,
    webhookSecret: written.webhook_secret,
    apiUrl: written.api_url,
    comment: written.comment,
  }),
);

/** A bucket of S3 or of another server that speaks its protocol; without keys the usual chain of credentials is asked. */
export interface Bucket {
  readonly bucket: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly accessKey: Secret | undefined;
  readonly secretKey: Secret | undefined;
}

const bucketName = textLike(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "a bucket's name");
const bucketKeys = {
  endpoint: httpUrl.optional(),
  region: text("a region").optional(),
  access_key: secret.optional(),
  secret_key: secret.optional(),
};

export interface ReleaseConfig {
  readonly target: Bucket;
  /** Path of the private key, or its id in the keyring. */
  readonly gpgKey: string | undefined;
  readonly passphrase: Secret | undefined;
  readonly approvals: number;
  readonly expiresMs: number;
  readonly nightly: boolean;
}

const release = section({
  bucket: bucketName,
  ...bucketKeys,
  gpg_key: text("a key's file or id").optional(),
  passphrase: secret.optional(),
  approvals: count(1, 50).default(1),
  expires: duration.prefault("24h"),
  nightly: flag.default(false),
}).transform(
  (written): ReleaseConfig => ({
    target: toBucket(written.bucket, written),
    gpgKey: written.gpg_key,
    passphrase: written.passphrase,
    approvals: written.approvals,
    expiresMs: written.expires,
    nightly: written.nightly,
  }),
);

export const releases = mapping(ProjectName, release, "a mapping of projects to release settings").transform(
  (entries): ReadonlyMap<ProjectName, ReleaseConfig> =>
    new Map(Object.entries(entries).map(([name, settings]) => [ProjectName.parse(name), settings])),
);

export interface BackupConfig {
  readonly at: string;
  /** How many are kept. */
  readonly keep: number;
  /** `undefined`: only in the data folder. */
  readonly target: Bucket | undefined;
}

export const backup = section({
  at: cron.prefault("0 7 * * *"),
  keep: count(1, 10_000).default(14),
  bucket: bucketName.optional(),
  ...bucketKeys,
}).transform(
  (written): BackupConfig => ({
    at: written.at,
    keep: written.keep,
    target: written.bucket === undefined ? undefined : toBucket(written.bucket, written),
  }),
);

function toBucket(bucket: string, keys: z.output<z.ZodObject<typeof bucketKeys>>): Bucket {
  return {
    bucket,
    endpoint: keys.endpoint,
    region: keys.region,
    accessKey: keys.access_key,
    secretKey: keys.secret_key,
  };
}

export interface ReportConfig {
  readonly at: string;
}

export const report = section({ at: cron.prefault("0 8 * * *") });

/** How long things are kept, and how many builds. */
export interface Retention {
  readonly builds: number;
  readonly logsMs: number;
  readonly artifactsMs: number;
  readonly imagesMs: number;
}

export const retention = section({
  builds: count(1, Number.MAX_SAFE_INTEGER).default(10_000),
  logs: duration.prefault("90d"),
  artifacts: duration.prefault("30d"),
  images: duration.prefault("7d"),
}).transform(
  (written): Retention => ({
    builds: written.builds,
    logsMs: written.logs,
    artifactsMs: written.artifacts,
    imagesMs: written.images,
  }),
);
