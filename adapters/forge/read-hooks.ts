/** The readers of webhooks, one for each kind of forge. */
import type { ForgeKind } from "../../src/config.ts";
import type { ReadHook } from "../../src/forge.ts";
import { readGiteaHook } from "./gitea/read-hook.ts";
import { readGithubHook } from "./github/read-hook.ts";
import { readGitlabHook } from "./gitlab/read-hook.ts";

export const READ_HOOK: Readonly<Record<ForgeKind, ReadHook>> = {
  github: readGithubHook,
  gitea: readGiteaHook,
  gitlab: readGitlabHook,
};
