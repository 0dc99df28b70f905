/** The names that the original's scripts gave their reports (`docker-registry-20140301120000`), and which build each stands for: O-62. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RuntimeError } from "../errors.ts";
import { BuildNumber, type ProjectName } from "../names.ts";
import { type CoverageMarker, markerProject } from "./coverage-markers.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Writes down the names that a build's steps announced, so that `/coverage/<project>/<name>/` leads to its report. A name that does not
 * begin with the project's, as the original's all do, is passed over.
 * @param folder `data/docker-ci/coverage`. @throws RuntimeError when the disk fails.
 */
export async function nameCoverage(
  folder: string,
  { project, number }: { readonly project: ProjectName; readonly number: BuildNumber },
  markers: readonly CoverageMarker[],
): Promise<void> {
  const names = markers.map(({ name }) => name).filter((name) => markerProject(name) === project);
  try {
    if (names.length > 0) await mkdir(join(folder, project), { recursive: true, mode: 0o700 });
    for (const name of names) await writeFile(fileOf(folder, project, name), `${number}\n`, { mode: 0o600 });
  } catch (error) {
    throw new RuntimeError("the name of a coverage report cannot be kept", { cause: error });
  }
}

/** The build whose report has that name. */
export async function namedCoverage(folder: string, project: string, name: string): Promise<BuildNumber | undefined> {
  if (!NAME.test(name) || markerProject(name) !== project) return undefined;
  const text = await readFile(fileOf(folder, project, name), "utf8").catch(() => "" /* nobody gave that name */);
  return BuildNumber.safeParse(text.trim()).data;
}

/** Beside the folders of the builds, whose names are numbers. */
function fileOf(folder: string, project: string, name: string): string {
  return join(folder, project, `${name}.build`);
}
