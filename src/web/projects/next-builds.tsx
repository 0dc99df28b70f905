/** When a project is built next: so far, when somebody asks. */
import type { Config, Project } from "../../config.ts";

export const NextBuilds = ({ project, config }: { project: Project; config: Pick<Config, "prefix"> }) => (
  <section aria-labelledby="next">
    <h2 id="next">Next builds</h2>
    <p>
      It is built when somebody says{" "}
      <code>
        {config.prefix}build {project.name}
      </code>
      . Nightly builds, and builds of what is pushed, are not there yet
      {project.nightly === undefined ? "" : "; its nightly: is kept for when they are"}.
    </p>
  </section>
);
