/** GitLab's REST API: https://docs.gitlab.com/api/rest. */
import { z } from "zod";
import type { Secret } from "../../../src/config.ts";
import type { ForgeApi } from "../../../src/forge.ts";
import { commentKeeper } from "../one-comment.ts";
import { Anything, openRest } from "../rest.ts";

const PAGE = 100;
/** A developer's, https://docs.gitlab.com/api/members/#roles: from there on somebody may push. */
const DEVELOPER = 30;

const Project = z.object({ path_with_namespace: z.string() });
const Member = z.object({ access_level: z.number() });
const User = z.object({ username: z.string() });
const Notes = z.array(
  z
    .object({ id: z.number().int(), body: z.string().nullish(), author: User.nullish() })
    .transform(({ id, body, author }) => ({ id, body: body ?? "", by: author?.username ?? "", isBot: false })),
);

type Place = Parameters<ForgeApi["probe"]>[0];

export function connectGitlab(
  { url, token }: { readonly url: string; readonly token: Secret },
  userAgent: string,
): ForgeApi {
  const rest = openRest({
    url: `${url}/api/v4`,
    name: new URL(url).host,
    token,
    scheme: "Bearer",
    headers: { accept: "application/json" },
    userAgent,
  });
  const keepComment = commentKeeper();
  const at = ({ owner, name }: Place) => {
    const repository = `${owner}/${name}`;
    return { path: `/projects/${encodeURIComponent(repository)}`, repository };
  };

  return {
    async probe(place, signal) {
      await rest({ method: "GET", ...at(place), answer: Project, signal });
      return { mayWrite: true, mayAsk: true };
    },
    async mayPush(place, { id }, signal) {
      // Older webhooks do not tell the number, and a name is no proof: it can be taken by another later.
      if (id === undefined) return false;
      const { path, repository } = at(place);
      const member = await rest({
        method: "GET",
        path: `${path}/members/all/${id}`,
        answer: Member,
        absent: { access_level: 0 },
        repository,
        signal,
      });
      return member.access_level >= DEVELOPER;
    },
    async comment(place, pullRequest, key, markdown, signal) {
      const { path, repository } = at(place);
      const notes = `${path}/merge_requests/${pullRequest}/notes`;
      const common = { repository, signal };
      const write = { answer: Anything, ...common };
      const calls = {
        ownName: async () => (await rest({ method: "GET", path: "/user", answer: User, ...common })).username,
        page: (page: number) =>
          rest({
            method: "GET",
            path: `${notes}?sort=asc&order_by=created_at&per_page=${PAGE}&page=${page}`,
            answer: Notes,
            ...common,
          }),
        pageLength: PAGE,
        add: (body: string) => rest({ method: "POST", path: notes, body: { body }, ...write }),
        edit: (id: number, body: string) => rest({ method: "PUT", path: `${notes}/${id}`, body: { body }, ...write }),
      };
      await keepComment(calls, key, markdown);
    },
  };
}
