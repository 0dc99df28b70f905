/** When a project is built next: when somebody asks, when somebody pushes, and by the clock. */
import type { Project } from "../../config.ts";
import { type Coming, lastPhrase } from "../../schedules/schedules.ts";
import { formatAge } from "../../units.ts";
import { Time } from "../shell.tsx";

interface NextBuildsProps {
  readonly project: Project;
  readonly prefix: string;
  /** What comes of it by the clock, the soonest first. */
  readonly coming: readonly Coming[];
  readonly now: Date;
}

export const NextBuilds = ({ project, prefix, coming, now }: NextBuildsProps) => (
  <section aria-labelledby="next">
    <h2 id="next">Next builds</h2>
    <p>
      It is built when somebody says{" "}
      <code>
        {prefix}build {project.name}
      </code>
      {coming.length === 0 ? " or when something is pushed." : ", when something is pushed, and by the clock:"}
    </p>
    {coming.length === 0 ? null : (
      <ul>
        {coming.map(({ what, next, last }) => (
          <li>
            {what} in {formatAge(+next - +now)}, <Time at={next.toISOString()} />
            {lastPhrase(last) === "" ? "" : ` · ${lastPhrase(last)}`}
          </li>
        ))}
      </ul>
    )}
  </section>
);
