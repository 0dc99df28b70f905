/** A build as people name it: `43` or `#43`; or by its project, whatever of that is under way. */
import { z } from "zod";
import type { Build } from "../builds/build.ts";
import type { Builds } from "../builds/builds.ts";
import { BuildNumber } from "../names.ts";

export const BuildArgument = z
  .string()
  .regex(/^#?[1-9]\d{0,14}$/, "a build's number, such as 43")
  .transform((text) => BuildNumber.parse(text.replace("#", "")));

export const BuildOrProject = z.union([BuildArgument, z.string()]);

/** Of a project what runs and then what waits, the older ones first. @throws UserError for none of that name. */
export async function underWay(builds: Builds, name: string): Promise<Build[]> {
  const { name: project } = builds.project(name);
  const all = await Promise.all([builds.running(), builds.queued()]);
  return all.flat().filter((build) => build.project === project);
}
