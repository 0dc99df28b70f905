/** What docker-ci says by itself, and to whom: notices, mail, GitHub, the digest. */
import type { z } from "zod";
import type { NetworkName } from "../names.ts";
import { cron } from "./cron.ts";
import { splitAddress } from "./people.ts";
import { choice, flag, httpUrl, oneOrMany, port, scalar, secret, section, text, textLike } from "./scalars.ts";
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

/** The week of a report: the seven days until it is made, or the calendar's, from Monday on. */
export const ReportWindow = choice(["rolling", "week"]);
export type ReportWindow = z.output<typeof ReportWindow>;

export interface ReportConfig {
  readonly at: string;
  readonly window: ReportWindow;
}

export const report = section({ at: cron.prefault("0 8 * * *"), window: ReportWindow.default("rolling") });
