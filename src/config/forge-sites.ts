/** `gitea:` and `gitlab:` — forges of one's own, each known by its host; `hooks:` — where their webhooks may come in besides the page. */
import type { z } from "zod";
import { listen } from "./listen.ts";
import { flag, httpUrl, list, secret, section } from "./scalars.ts";
import type { Secret } from "./secret.ts";

export interface ForgeSite {
  /** Without a slash at its end. */
  readonly url: string;
  /** Of the address, with its port where there is one: what `forge: gitea:host/owner/name` names. */
  readonly host: string;
  readonly token: Secret | undefined;
  /** What its webhooks are signed with; of GitLab, its secret token or its signing token. */
  readonly webhookSecret: Secret | undefined;
  /** Whether a pull request gets a comment with its result. */
  readonly comment: boolean;
}

const site = section({
  url: httpUrl,
  token: secret.optional(),
  webhook_secret: secret.optional(),
  comment: flag.default(false),
}).transform(
  (written): ForgeSite => ({
    url: written.url,
    host: new URL(written.url).host,
    token: written.token,
    webhookSecret: written.webhook_secret,
    comment: written.comment,
  }),
);

export const forgeSites = list(site, "forges, each with url, token and webhook_secret").default([]);

/** A listener for nothing but webhooks: what has to be reached from the internet need not be the page. */
export const hooks = section({ listen });
export type HooksConfig = z.output<typeof hooks>;
