/** The forges of a configuration that can be spoken with: those with a token. */
import type { Config, Forge } from "../../src/config.ts";
import type { ForgeApi } from "../../src/forge.ts";
import { connectGitea } from "./gitea/api.ts";
import { connectGithub } from "./github/api.ts";
import { connectGitlab } from "./gitlab/api.ts";

/** Nothing is called before somebody asks. @param version of docker-ci, by which it names itself. */
export function forgeApis(
  { github, gitea, gitlab }: Pick<Config, "github" | "gitea" | "gitlab">,
  version: string,
): (forge: Forge) => ForgeApi | undefined {
  const userAgent = `docker-ci/${version}`;
  const apis = new Map<string, ForgeApi>();
  if (github?.token !== undefined) apis.set("github", connectGithub({ ...github, token: github.token }, userAgent));
  for (const { url, host, token } of gitea) {
    if (token !== undefined) apis.set(`gitea/${host}`, connectGitea({ url, token }, userAgent));
  }
  for (const { url, host, token } of gitlab) {
    if (token !== undefined) apis.set(`gitlab/${host}`, connectGitlab({ url, token }, userAgent));
  }
  return (forge) => apis.get(forge.kind === "github" ? "github" : `${forge.kind}/${forge.host}`);
}
