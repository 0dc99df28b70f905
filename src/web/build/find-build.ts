/** The build that an address names. */
import type { Build } from "../../builds/build.ts";
import type { Builds } from "../../builds/builds.ts";
import { UserError } from "../../errors.ts";
import { BuildNumber } from "../../names.ts";

export const NO_BUILD = "There is no build of that number.";

/** Undefined where there is none, and for what is no number. */
export async function findBuild(builds: Pick<Builds, "get">, text: string): Promise<Build | undefined> {
  const number = BuildNumber.safeParse(text);
  if (!number.success) return undefined;
  try {
    return await builds.get(number.data);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
