/** The REST API of Gitea and Forgejo: https://docs.gitea.com/api. */
import type { Secret } from "../../../src/config.ts";
import type { ForgeApi } from "../../../src/forge.ts";
import { createRepositoryApi } from "../repository-api.ts";
import { openRest } from "../rest.ts";

export function connectGitea(
  { url, token }: { readonly url: string; readonly token: Secret },
  userAgent: string,
): ForgeApi {
  return createRepositoryApi(
    openRest({
      url: `${url}/api/v1`,
      name: new URL(url).host,
      token,
      scheme: "token",
      headers: { accept: "application/json" },
      userAgent,
    }),
  );
}
