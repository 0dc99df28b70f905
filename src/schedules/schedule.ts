/** What is built by the clock: the projects' nights and the schedules of the configuration, one for each project. */
import type { Config, Unchanged } from "../config.ts";
import type { GitRef, ProjectName } from "../names.ts";
import type { Pattern } from "./last-due.ts";

export interface Schedule extends Pattern {
  /** Its key in Redis. */
  readonly key: string;
  /** Where it is written in the configuration. */
  readonly written: string;
  /** `nightly`, or the name it was given. */
  readonly name: string;
  readonly project: ProjectName;
  readonly ref: GitRef;
  readonly params: Readonly<Record<string, string>>;
  readonly unchanged: Unchanged;
}

export type SchedulesConfig = Pick<Config, "projects" | "schedules" | "timezone">;

export function schedulesOf(config: SchedulesConfig): Schedule[] {
  const nights = [...config.projects.values()].flatMap(({ name, branch, nightly, nightlyUnchanged }): Schedule[] =>
    nightly === undefined
      ? []
      : [
          {
            key: `docker-ci:schedule:nightly:${name}`,
            written: `projects.${name}.nightly`,
            name: "nightly",
            project: name,
            at: nightly.at,
            timezone: nightly.timezone ?? config.timezone,
            ref: branch,
            params: {},
            unchanged: nightlyUnchanged,
          },
        ],
  );
  const others = config.schedules.flatMap((schedule, index) =>
    schedule.projects.flatMap((name): Schedule[] => {
      const project = config.projects.get(name);
      if (project === undefined) return [];
      return [
        {
          key: `docker-ci:schedule:named:${schedule.name}:${name}`,
          written: `schedules[${index}].at`,
          name: schedule.name,
          project: name,
          at: schedule.at,
          timezone: schedule.timezone ?? config.timezone,
          ref: schedule.ref ?? project.branch,
          params: schedule.params,
          unchanged: schedule.unchanged,
        },
      ];
    }),
  );
  return [...nights, ...others];
}
