/** What votes are bound to: the plan, and what of the configuration decides what is built and where it goes. */
import { createHash } from "node:crypto";
import type { Config, ReleaseConfig } from "../config.ts";
import type { ProjectName } from "../names.ts";
import type { ReleasePlan } from "./release.ts";

/** SHA-256 of the plan's canonical JSON. */
export function planDigest(plan: ReleasePlan): string {
  return digest(plan);
}

/**
 * Of the configuration as it is now. The repository's own pipeline is not in it: the plan names the commit, which holds it. No
 * secret's value is in it either, so that one may be exchanged while people vote.
 * @returns undefined for a project that is not configured, or not to be released.
 */
export function pipelineDigest(
  { projects, releases }: Pick<Config, "projects" | "releases">,
  name: ProjectName,
): string | undefined {
  const project = projects.get(name);
  const release = releases.get(name);
  if (project === undefined || release === undefined) return undefined;
  const { repo, pipeline, env, secrets, privileged, network, builder, limits } = project;
  const { target, gpgKey, files, layout, latest, tag, forgeRelease, osNames, archNames } = release;
  const { bucket, endpoint, region, pathStyle, storageClass } = target;
  return digest({
    project: { repo, pipeline, env, secrets: Object.keys(secrets).sort(), privileged, network, builder, limits },
    release: {
      ...{ bucket, endpoint, region, pathStyle, storageClass, gpgKey },
      ...{ files, layout, latest, tag, forgeRelease, osNames, archNames },
      ...optionalKeys(release),
    },
  });
}

/** What came later is in it only where it is said, so that what was voted on before stands. */
function optionalKeys({ checksums, latestFiles, smokeTest, index, redirects, address }: ReleaseConfig) {
  const listed = <T>(list: readonly T[]) => (list.length === 0 ? undefined : list);
  const mapped = Object.keys(redirects).length === 0 ? undefined : redirects;
  return {
    ...{ checksums: listed(checksums), latestFiles, smokeTest: listed(smokeTest) },
    ...{ index: listed(index), redirects: mapped, address },
  };
}

function digest(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** Keys in order of code points, no space between, nothing for what is undefined. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
