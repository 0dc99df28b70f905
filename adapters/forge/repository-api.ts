/** Statuses and comments, which GitHub and Gitea have at the same places with the same words. */
import { z } from "zod";
import { RuntimeError } from "../../src/errors.ts";
import type { ForgeApi } from "../../src/forge.ts";
import { Anything, type Rest } from "./rest.ts";

const PAGE = 100;
/** A comment of ours behind so many others is not found, and another one is written. */
const PAGES = 30;

const Repository = z.object({ permissions: z.object({ push: z.boolean() }).optional() });
const User = z.object({ login: z.string() });
const Comments = z.array(
  z.object({
    id: z.number().int(),
    body: z.string().nullish(),
    user: z.object({ login: z.string(), type: z.string().optional() }).nullish(),
  }),
);

type Place = Parameters<ForgeApi["setStatus"]>[0];

export function createRepositoryApi(rest: Rest): ForgeApi {
  /** Whom the token is of; "" for a token that is an app's and no person's. Asked once. */
  let self: string | undefined;

  const at = ({ owner, name }: Place) => {
    const part = encodeURIComponent;
    return { path: `/repos/${part(owner)}/${part(name)}`, repository: `${owner}/${name}` };
  };
  async function ownName(repository: string, signal: AbortSignal): Promise<string> {
    try {
      self ??= (await rest({ method: "GET", path: "/user", answer: User, repository, signal })).login;
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.retryable) throw error;
      self = "";
    }
    return self;
  }
  /** Anybody can write a comment that begins as ours do: only one of our own is edited. */
  async function ownComment(place: Place, pullRequest: number, mark: string, signal: AbortSignal) {
    const { path, repository } = at(place);
    const login = await ownName(repository, signal);
    let first: number | undefined;
    for (let page = 1; page <= PAGES; page += 1) {
      const comments = await rest({
        method: "GET",
        path: `${path}/issues/${pullRequest}/comments?per_page=${PAGE}&page=${page}`,
        answer: Comments,
        repository,
        signal,
      });
      const own = comments.find(
        ({ body, user }) =>
          body?.startsWith(mark) === true && (login === "" ? user?.type === "Bot" : user?.login === login),
      );
      // Gitea has all of them on one page, whichever it is asked for.
      if (own !== undefined || comments.length < PAGE || comments[0]?.id === first) return own;
      first = comments[0]?.id;
    }
    return undefined;
  }

  return {
    async probe(place, signal) {
      const { permissions } = await rest({ method: "GET", ...at(place), answer: Repository, signal });
      return { mayWrite: permissions?.push !== false };
    },
    async setStatus(place, { sha, state, description, url, context }, signal) {
      const { path, repository } = at(place);
      const body = { state, description, context, target_url: url };
      await rest({ method: "POST", path: `${path}/statuses/${sha}`, body, answer: Anything, repository, signal });
    },
    async comment(place, pullRequest, key, markdown, signal) {
      const { path, repository } = at(place);
      const mark = `<!-- ${key} -->`;
      const own = await ownComment(place, pullRequest, mark, signal);
      const body = { body: `${mark}\n${markdown}` };
      if (own?.body === body.body) return;
      await rest({
        ...(own === undefined
          ? { method: "POST", path: `${path}/issues/${pullRequest}/comments` }
          : { method: "PATCH", path: `${path}/issues/comments/${own.id}` }),
        body,
        answer: Anything,
        repository,
        signal,
      });
    },
  };
}
