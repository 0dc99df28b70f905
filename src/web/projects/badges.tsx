/** Badges for a project's own README, to copy. */
import type { ProjectName } from "../../names.ts";

export const Badges = ({ project, url }: { project: ProjectName; url: string }) => (
  <section aria-labelledby="badges">
    <h2 id="badges">Badges</h2>
    <Badge name="build" path={`/badge/${project}.svg`} project={project} url={url} />
    <Badge name="coverage" path={`/badge/${project}/coverage.svg`} project={project} url={url} />
  </section>
);

/** As Markdown, which one click selects. */
const Badge = (props: { name: string; path: string; project: ProjectName; url: string }) => {
  const { name, path, project, url } = props;
  return (
    <p class="badge">
      <img src={path} alt={`${name} of ${project}`} height={20} />{" "}
      <code>{`[![${name}](${url}${path})](${url}/projects/${project})`}</code>
    </p>
  );
};
