/** GitHub's REST API, github.com's or a server's of one's own: https://docs.github.com/rest. */
import type { Secret } from "../../../src/config.ts";
import type { ForgeApi } from "../../../src/forge.ts";
import { createRepositoryApi } from "../repository-api.ts";
import { openRest } from "../rest.ts";

export function connectGithub(
  { apiUrl, token }: { readonly apiUrl: string; readonly token: Secret },
  userAgent: string,
): ForgeApi {
  return createRepositoryApi(
    openRest({
      url: apiUrl,
      name: new URL(apiUrl).host,
      token,
      scheme: "Bearer",
      headers: { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" },
      userAgent,
    }),
  );
}
