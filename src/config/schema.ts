/** `docker-ci.yml` as it is written: every key, its shape and its default. */
import type { z } from "zod";
import { backup } from "./backup.ts";
import { timezone } from "./cron.ts";
import { deployment } from "./deployment.ts";
import { forgeSites, hooks } from "./forge-sites.ts";
import { engineAddress, listen, redisUrl } from "./listen.ts";
import { ircNetwork, slackWorkspace } from "./networks.ts";
import { people, roles } from "./people.ts";
import { projects } from "./project.ts";
import { releases } from "./releases.ts";
import { retention } from "./retention.ts";
import { count, flag, httpUrl, list, secret, section, text, textLike } from "./scalars.ts";
import { schedules } from "./schedules.ts";
import { github, mail, notify, report } from "./services.ts";
import { web } from "./web.ts";
import { labels, redisTls, store, workerName } from "./worker.ts";

/** Paths are still as written; `toConfig` makes them absolute, and fills in what depends on another key. */
export const ConfigFile = section({
  deployment: deployment.default("local"),
  url: httpUrl.optional(),
  listen: listen.optional(),
  data: text("a folder").prefault("data"),
  redis: redisUrl.optional(),
  redis_tls: redisTls.optional(),
  engine: engineAddress.optional(),
  concurrency: count(1, 256).default(2),
  labels: labels.prefault([]),
  worker_name: workerName.optional(),
  worker_token: secret.optional(),
  store: store.optional(),
  // A letter or a space would make commands of ordinary talk, and the excluded signs begin quotes, code and names.
  prefix: textLike(/^[^\s\p{L}\p{N}<>`@]{1,3}$/u, 'one to three signs in quotes, such as "!"').default("!"),
  timezone: timezone.default("Etc/UTC"),
  web: web.prefault({}),
  irc: list(ircNetwork, "IRC networks").default([]),
  slack: list(slackWorkspace, "Slack workspaces").default([]),
  console: flag.default(true),
  people: people.prefault({}),
  default_roles: roles.default([]),
  notify: notify.optional(),
  mail: mail.optional(),
  github: github.optional(),
  gitea: forgeSites,
  gitlab: forgeSites,
  hooks: hooks.optional(),
  projects: projects.prefault({}),
  schedules: schedules.default([]),
  releases: releases.prefault({}),
  backup: backup.optional(),
  report: report.optional(),
  retention: retention.prefault({}),
});
export type ConfigFile = z.output<typeof ConfigFile>;
