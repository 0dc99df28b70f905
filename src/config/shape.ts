/** The configuration as the rest of the program is given it. */
import type { ProjectName } from "../names.ts";
import type { BackupConfig } from "./backup.ts";
import type { Bucket } from "./buckets.ts";
import type { Deployment } from "./deployment.ts";
import type { ForgeSite, HooksConfig } from "./forge-sites.ts";
import type { Listen, RedisConfig } from "./listen.ts";
import type { IrcNetwork, SlackWorkspace } from "./networks.ts";
import type { Person, Role } from "./people.ts";
import type { Project } from "./project.ts";
import type { ReleaseConfig } from "./releases.ts";
import type { Retention } from "./retention.ts";
import type { ScheduleConfig } from "./schedules.ts";
import type { Secret } from "./secret.ts";
import type { GithubConfig, MailConfig, NotifyConfig, ReportConfig } from "./services.ts";
import type { WebConfig } from "./web.ts";

/** The whole configuration, every default filled in. */
export interface Config {
  /** The absolute path of the file it came from, `undefined` when there is none. */
  readonly file: string | undefined;
  readonly deployment: Deployment;
  /** Where people reach the page, without a slash at its end. */
  readonly url: string;
  readonly listen: Listen;
  /** Absolute. */
  readonly dataDir: string;
  readonly redis: RedisConfig;
  /** `undefined`: the engine's usual socket. */
  readonly engine: string | undefined;
  /** Builds at a time on this worker. */
  readonly concurrency: number;
  /** What this worker has, besides its engine's architecture. */
  readonly labels: readonly string[];
  /** What this process is called as a worker; default: the host's name. */
  readonly workerName: string;
  /** What a worker on another machine brings its files to the bot's page with. */
  readonly workerToken: Secret | undefined;
  /** The bucket by which they come instead. */
  readonly store: Bucket | undefined;
  readonly prefix: string;
  readonly timezone: string;
  readonly web: WebConfig;
  readonly irc: readonly IrcNetwork[];
  readonly slack: readonly SlackWorkspace[];
  /** Whether the terminal, where there is one, is a chat. */
  readonly console: boolean;
  readonly people: readonly Person[];
  /** What anyone in a configured room may do besides asking. */
  readonly defaultRoles: readonly Role[];
  readonly notify: NotifyConfig | undefined;
  readonly mail: MailConfig | undefined;
  readonly github: GithubConfig | undefined;
  readonly gitea: readonly ForgeSite[];
  readonly gitlab: readonly ForgeSite[];
  /** A listener for webhooks only. */
  readonly hooks: HooksConfig | undefined;
  readonly projects: ReadonlyMap<ProjectName, Project>;
  /** What is built by the clock besides the projects' own nights. */
  readonly schedules: readonly ScheduleConfig[];
  readonly releases: ReadonlyMap<ProjectName, ReleaseConfig>;
  readonly backup: BackupConfig | undefined;
  readonly report: ReportConfig | undefined;
  readonly retention: Retention;
}
