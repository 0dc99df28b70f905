/** The projects that can be built out of the box. */
import { ProjectName } from "../names.ts";
import { defaultProject, type Project } from "./project.ts";
import type { Config } from "./shape.ts";

/**
 * The configuration with the example projects in it, unless it came from a file that has projects of its own.
 * @param repos names to absolute paths of their repositories.
 */
export function withExampleProjects(config: Config, repos: ReadonlyMap<string, string>): Config {
  if (config.projects.size > 0) return config;
  const examples = [...repos].map(([name, repo]) => exampleProject(ProjectName.parse(name), repo));
  return { ...config, projects: new Map(examples.map((project) => [project.name, project])) };
}

function exampleProject(name: ProjectName, repo: string): Project {
  // Whoever tries the examples says what is built.
  const project: Project = { ...defaultProject(name, repo), pollMs: "off" };
  // The Engine's mount tests mount file systems, as the original docker-ci let them; nothing less than this does it.
  return name === "docker" ? { ...project, privileged: true } : project;
}
