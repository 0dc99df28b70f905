/** What a build's steps are given: variables, secrets and caches, as far as it is trusted. */
import type { Project } from "../config.ts";
import { type CacheScope, cacheScope } from "../pipeline/caches.ts";
import { createMask, type Mask } from "../pipeline/masking.ts";
import type { Revision } from "../revisions.ts";
import type { Build } from "./build.ts";
import { buildUrl } from "./describe.ts";
import { eventOf, targetBranch } from "./pull-request.ts";

export interface BuildInputs {
  readonly branch: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** In plain text; none for what an outsider may have written. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Hides all secrets of the project, also where a build is given none. */
  readonly mask: Mask;
  readonly cache: CacheScope;
}

/** Hides all secrets of a project, in whatever is said of its builds. */
export function maskOf({ secrets }: Pick<Project, "secrets">): Mask {
  return createMask(Object.values(secrets).map((secret) => secret.reveal()));
}

/** The project as far as a build may use it: nothing that an outsider may have written gets at the machine. */
export function grantedTo({ untrusted }: Pick<Build, "untrusted">, project: Project): Project {
  return untrusted === true ? { ...project, privileged: false } : project;
}

/** @param url of the page. */
export function inputsOf(build: Build, revision: Revision, project: Project, url: string): BuildInputs {
  const branch = targetBranch(revision);
  const event = eventOf({ ...build, revision });
  const number = revision.pullRequest?.number;
  const secrets = Object.fromEntries(Object.entries(project.secrets).map(([name, secret]) => [name, secret.reveal()]));
  return {
    branch,
    env: {
      CI: "true",
      DOCKER_CI_BUILD: String(build.number),
      DOCKER_CI_PROJECT: build.project,
      DOCKER_CI_REVISION: revision.sha,
      DOCKER_CI_BRANCH: branch ?? "",
      DOCKER_CI_PR: String(number ?? ""),
      DOCKER_CI_URL: buildUrl(url, build.number),
      ...build.params,
    },
    secrets: event === "pull_request" || build.untrusted === true ? {} : secrets,
    mask: maskOf(project),
    cache: cacheScope({
      event,
      branch,
      // Trust is in one commit, and the caches of a pull request outlive it.
      ...(build.untrusted === true ? { isOfBuild: true } : { pullRequest: number }),
      number: build.number,
      mainBranch: project.branch,
    }),
  };
}
