/** The configuration: what the rest of the program needs of it. The one schema is in `config/schema.ts`. */
export type { BackupConfig, BackupKeep } from "./config/backup.ts";
export type { Bucket } from "./config/buckets.ts";
export type { Deployment } from "./config/deployment.ts";
export { withExampleProjects } from "./config/examples.ts";
export type { RedisConfig } from "./config/listen.ts";
export { loadConfig, parseConfig } from "./config/load.ts";
export type { IrcNetwork, SlackWorkspace } from "./config/networks.ts";
export { type Person, Role } from "./config/people.ts";
export { defaultProject, type Limits, type Project } from "./config/project.ts";
export type { ChecksumKind, NightlyReleaseConfig, ReleaseConfig, ReleaseIndex, SmokeStep } from "./config/releases.ts";
export { type Forge, type ForgeKind, isPath, shownRepository } from "./config/repository.ts";
export type { Retention } from "./config/retention.ts";
export type { Unchanged } from "./config/schedules.ts";
export { Secret } from "./config/secret.ts";
export {
  type MailConfig,
  type NotifyConfig,
  type ReportConfig,
  ReportWindow,
  type RoomAddress,
} from "./config/services.ts";
export type { Config } from "./config/shape.ts";
export type { TrustedProxy, WebConfig } from "./config/web.ts";
