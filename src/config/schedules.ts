/** `schedules:` and `nightly:` — what is built by the clock. */
import type { z } from "zod";
import { GitRef, ProjectName } from "../names.ts";
import { cron, timezone } from "./cron.ts";
import { choice, envMapping, list, oneOrMany, scalar, section, textLike } from "./scalars.ts";

/** When, by which clock; without one it is that of the whole configuration. */
export interface NightlyConfig {
  readonly at: string;
  readonly timezone: string | undefined;
}

/** Seven o'clock in UTC, when the original's nights were (O-33). */
const SEVEN_UTC: NightlyConfig = { at: "0 7 * * *", timezone: "Etc/UTC" };

/** `true`, a schedule, or `false` for none. */
export const nightly = scalar('true, false, or a schedule of five fields such as "0 7 * * *"', (value) => {
  if (value === "true") return SEVEN_UTC;
  if (value === "false") return "off" as const;
  const at = cron.safeParse(value).data;
  return at === undefined ? undefined : { at, timezone: undefined };
});

/** What becomes of a night in which nothing is new. */
export const Unchanged = choice(["skip", "run"]);
export type Unchanged = z.output<typeof Unchanged>;

export interface ScheduleConfig {
  readonly name: string;
  readonly at: string;
  readonly timezone: string | undefined;
  readonly projects: readonly ProjectName[];
  /** Undefined: the project's main branch. */
  readonly ref: GitRef | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly unchanged: Unchanged;
}

const project = scalar("the name of a project", (value) => ProjectName.safeParse(value).data);

const schedule = section({
  name: textLike(/^[a-z0-9][a-z0-9_-]{0,39}$/, "a name of lower-case letters, digits, '_' and '-', at most 40"),
  at: cron.prefault("0 7 * * *"),
  timezone: timezone.optional(),
  projects: oneOrMany(project, "project names"),
  ref: scalar("a branch, tag or commit name", (value) => GitRef.safeParse(value).data).optional(),
  params: envMapping.default({}),
  unchanged: Unchanged.default("skip"),
}).transform((written): ScheduleConfig => ({ ...written, timezone: written.timezone, ref: written.ref }));

export const schedules = list(schedule, "schedules with name, at and projects");
