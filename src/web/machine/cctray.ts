/** `/cc.xml`: every project's main branch for build monitors, in the format that they have spoken since CruiseControl (cctray.org). */
import { html } from "hono/html";
import type { FinalState } from "../../builds/build.ts";
import { readStanding, type Standing } from "../../builds/last-result.ts";
import type { Project } from "../../config.ts";
import type { WebDeps } from "../deps.ts";
import { XML_HEAD } from "./xml.ts";

const STATUS: Readonly<Record<FinalState["kind"], string>> = {
  passed: "Success",
  failed: "Failure",
  errored: "Exception",
  // A standing leaves these out.
  cancelled: "Unknown",
};
/** The format wants a time of the last build; before the first one it is this. */
const NEVER = "1970-01-01T00:00:00.000Z";

export async function cctrayXml({ config, builds }: Pick<WebDeps, "config" | "builds">): Promise<string> {
  const projects = await Promise.all(
    [...config.projects.values()].map(async (project) =>
      projectXml(project, await readStanding(builds, project.name, project.branch), config.url),
    ),
  );
  return `${XML_HEAD}${await html`<Projects>${projects}</Projects>`}\n`;
}

async function projectXml({ name }: Pick<Project, "name">, { last, running }: Standing, url: string) {
  const label = last === undefined ? "" : html` lastBuildLabel="${last.number}"`;
  return html`<Project name="${name}" activity="${running ? "Building" : "Sleeping"}" lastBuildStatus="${last === undefined ? "Unknown" : STATUS[last.state.kind]}"${label} lastBuildTime="${last?.state.finishedAt ?? NEVER}" webUrl="${url}/projects/${name}"/>`;
}
