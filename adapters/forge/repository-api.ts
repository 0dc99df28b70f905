/** Statuses, comments and who may push, which GitHub and Gitea have at the same places with the same words. */
import { z } from "zod";
import type { ForgeApi } from "../../src/forge.ts";
import { commentKeeper } from "./one-comment.ts";
import { Anything, type Rest } from "./rest.ts";

const PAGE = 100;

const Repository = z.object({
  permissions: z.object({ push: z.boolean(), admin: z.boolean().optional() }).optional(),
});
const Permission = z.object({ permission: z.string() });
/** `owner` is Gitea's alone; GitHub says `admin` of one. */
const MAY_PUSH = ["owner", "admin", "write"];
const User = z.object({ login: z.string() });
const Comments = z.array(
  z
    .object({
      id: z.number().int(),
      body: z.string().nullish(),
      user: z.object({ login: z.string(), type: z.string().optional() }).nullish(),
    })
    .transform(({ id, body, user }) => ({ id, body: body ?? "", by: user?.login ?? "", isBot: user?.type === "Bot" })),
);
const Releases = z.array(z.object({ id: z.number().int(), tag_name: z.string() }));

type Place = Parameters<ForgeApi["probe"]>[0];

export function createRepositoryApi(rest: Rest): Required<ForgeApi> {
  const keepComment = commentKeeper();
  const part = encodeURIComponent;
  const at = ({ owner, name }: Place) => ({
    path: `/repos/${part(owner)}/${part(name)}`,
    repository: `${owner}/${name}`,
  });

  return {
    async probe(place, signal) {
      const { permissions } = await rest({ method: "GET", ...at(place), answer: Repository, signal });
      return { mayWrite: permissions?.push !== false, mayAsk: permissions?.admin !== false };
    },
    async setStatus(place, { sha, state, description, url, context }, signal) {
      const { path, repository } = at(place);
      const body = { state, description, context, target_url: url };
      await rest({ method: "POST", path: `${path}/statuses/${sha}`, body, answer: Anything, repository, signal });
    },
    async mayPush(place, { name }, signal) {
      const { path, repository } = at(place);
      const { permission } = await rest({
        method: "GET",
        path: `${path}/collaborators/${part(name)}/permission`,
        answer: Permission,
        absent: { permission: "none" },
        repository,
        signal,
      });
      return MAY_PUSH.includes(permission);
    },
    async release(place, { tag, sha, title, notes, isPrerelease, isLatest }, signal) {
      const { path, repository } = at(place);
      const common = { repository, signal };
      const releases = `${path}/releases`;
      const known = await rest({ method: "GET", path: `${releases}?per_page=${PAGE}`, answer: Releases, ...common });
      const there = known.find(({ tag_name }) => tag_name === tag);
      const body = {
        ...{ tag_name: tag, target_commitish: sha, name: title, body: notes, prerelease: isPrerelease },
        // GitHub's; it takes the newest for the latest otherwise.
        ...(isLatest === false ? { make_latest: "false" } : {}),
      };
      await rest({
        ...(there === undefined
          ? { method: "POST", path: releases }
          : { method: "PATCH", path: `${releases}/${there.id}` }),
        body,
        answer: Anything,
        ...common,
      });
    },
    async comment(place, pullRequest, key, markdown, signal) {
      const { path, repository } = at(place);
      const comments = `${path}/issues/${pullRequest}/comments`;
      const common = { repository, signal };
      const write = { answer: Anything, ...common };
      const calls = {
        ownName: async () => (await rest({ method: "GET", path: "/user", answer: User, ...common })).login,
        page: (page: number) =>
          rest({ method: "GET", path: `${comments}?per_page=${PAGE}&page=${page}`, answer: Comments, ...common }),
        pageLength: PAGE,
        add: (body: string) => rest({ method: "POST", path: comments, body: { body }, ...write }),
        edit: (id: number, body: string) =>
          rest({ method: "PATCH", path: `${path}/issues/comments/${id}`, body: { body }, ...write }),
      };
      await keepComment(calls, key, markdown);
    },
  };
}
