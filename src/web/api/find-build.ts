/** The build, or whatever else, that an address of the API names. */
import type { Build } from "../../builds/build.ts";
import type { Builds } from "../../builds/builds.ts";
import { UserError } from "../../errors.ts";
import type { BuildNumber } from "../../names.ts";
import { Problem } from "./problem.ts";

/** @throws Problem where there is none. */
export function findBuild(builds: Pick<Builds, "get">, number: BuildNumber): Promise<Build> {
  return found(() => builds.get(number));
}

/** What a look for something gives. @throws Problem where it finds nothing. */
export async function found<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof UserError)
      throw new Problem(404, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}`);
    throw error;
  }
}
