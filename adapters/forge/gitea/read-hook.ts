/** Webhooks of Gitea and Forgejo: https://docs.gitea.com/usage/repository/webhooks. Their payloads follow GitHub's, with gaps. */
import { z } from "zod";
import type { Heard, HookRequest } from "../../../src/forge.ts";
import { GitRef, Sha } from "../../../src/names.ts";
import { readComment } from "../comment-commands.ts";
import { expecting, isPlain, line, nothing, pullRequestNumber, readPayload, refused } from "../payload.ts";
import { type ChangeOfRepository, changesOf } from "../projects.ts";
import { Commits, readPush } from "../pushed.ts";
import { isSignedHex } from "../signature.ts";

const User = z.object({ login: line });
const Repository = z.object({ full_name: line, owner: User });
const Branch = z.object({ ref: GitRef, sha: Sha, repo_id: z.number() });

const Push = z.object({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  commits: Commits.nullish(),
  total_commits: z.number().optional(),
  head_commit: z.object({ id: z.string() }).nullish(),
  sender: User,
  repository: Repository,
});

const PullRequest = z.object({
  action: z.string(),
  number: pullRequestNumber,
  pull_request: z.object({
    title: line,
    user: User,
    draft: z.boolean().default(false),
    // The branch may be gone by now, and its name then is `refs/pull/12/head`.
    head: Branch.omit({ ref: true }),
    base: Branch.pick({ ref: true, repo_id: true }),
  }),
  changes: z.object({ ref: z.unknown().optional(), title: z.object({ from: z.string() }).nullish() }).nullish(),
  sender: User,
  repository: Repository,
});

const Comment = z.object({
  action: z.string(),
  is_pull: z.boolean().default(false),
  issue: z.object({ number: pullRequestNumber }),
  comment: z.object({ body: z.string() }),
  sender: User,
  repository: Repository,
});

/** O-42. */
const PULL_REQUEST_ACTIONS: Readonly<Record<string, "opened" | "updated" | "closed">> = {
  opened: "opened",
  reopened: "opened",
  synchronized: "updated",
  closed: "closed",
};
/** A title that begins so makes a draft, unless an administrator chose other words. */
const DRAFT_TITLE = /^(?:WIP:|\[WIP\])/i;

export function readGiteaHook({ headers, body, config }: HookRequest): Heard {
  const { hosts, signature, problem } = signedBy({ headers, body, config });
  if (problem !== undefined) return problem;
  const event = headers.get("x-forgejo-event") ?? headers.get("x-gitea-event");
  const delivery = headers.get("x-forgejo-delivery") ?? headers.get("x-gitea-delivery");
  if (!isPlain(event)) return refused(400, "The header X-Gitea-Event is missing.");
  if (!isPlain(delivery)) return refused(400, "The header X-Gitea-Delivery is missing.");

  const of = (repository: string, changes: readonly ChangeOfRepository[]): Heard =>
    changesOf(config, { kind: "gitea", hosts, repository }, { id: delivery, signature }, changes);
  const payload = readPayload(headers, body);
  switch (event) {
    case "push":
      return expecting(Push, payload, "a push", ({ repository, sender, head_commit, total_commits, ...push }) => {
        const commits = push.commits ?? [];
        const change = readPush({
          ...push,
          // Gitea puts the newest first, and only some of them.
          commits: commits.toReversed(),
          isWhole: total_commits === commits.length,
          commit: head_commit?.id,
          by: sender.login,
        });
        return typeof change === "string" ? nothing(change) : of(repository.full_name, [change]);
      });
    case "pull_request":
      return expecting(PullRequest, payload, "a pull request", readPullRequest);
    case "issue_comment":
      return expecting(Comment, payload, "a comment", (said) => {
        const changes = readComment(said, {
          isOnPullRequest: said.is_pull,
          // It does not tell what somebody may do; of the owner everybody knows.
          isCollaborator: said.sender.login === said.repository.owner.login ? true : undefined,
        });
        return typeof changes === "string" ? nothing(changes) : of(said.repository.full_name, changes);
      });
    default:
      return payload === undefined ? refused(400, "The body is no JSON.") : nothing(`Nothing is done about ${event}.`);
  }

  function readPullRequest({ number, pull_request: it, ...rest }: z.output<typeof PullRequest>): Heard {
    const action = rest.action === "edited" ? readEdit(it, rest.changes) : PULL_REQUEST_ACTIONS[rest.action];
    if (action === undefined) return nothing(`Nothing is done about a pull request that was ${rest.action}.`);
    const by = action === "closed" ? rest.sender.login : it.user.login;
    return of(rest.repository.full_name, [
      {
        kind: "pull_request",
        number,
        action,
        head: it.head.sha,
        into: it.base.ref,
        title: it.title,
        isTrusted: it.head.repo_id === it.base.repo_id || it.user.login === rest.repository.owner.login,
        isDraft: it.draft || DRAFT_TITLE.test(it.title),
        by,
      },
    ]);
  }
}

/** Another target, or a draft that is none any more; undefined for another title. */
function readEdit(
  { title, draft }: z.output<typeof PullRequest>["pull_request"],
  changes: z.output<typeof PullRequest>["changes"],
): "updated" | undefined {
  const isReady = !draft && !DRAFT_TITLE.test(title) && DRAFT_TITLE.test(changes?.title?.from ?? "");
  const isRetargeted = changes?.ref !== undefined && changes.ref !== null;
  return isReady || isRetargeted ? "updated" : undefined;
}

/** The forges with whose secret it was signed; several may have the same. */
function signedBy({ headers, body, config }: Pick<HookRequest, "headers" | "body" | "config">): {
  readonly hosts: readonly string[];
  readonly signature: string;
  readonly problem?: Heard;
} {
  const unsigned = { hosts: [], signature: "" };
  const sites = config.gitea.filter(({ webhookSecret }) => webhookSecret !== undefined);
  if (sites.length === 0)
    return { ...unsigned, problem: refused(404, "No webhook_secret is configured under gitea: in docker-ci.yml.") };
  const signature = ["x-forgejo-signature", "x-gitea-signature", "x-hub-signature-256"]
    .map((name) => headers.get(name))
    // Without a secret of its own Gitea sends an empty one.
    .find((value) => value !== null && value !== "");
  if (signature === undefined || signature === null)
    return {
      ...unsigned,
      problem: refused(401, "The header X-Gitea-Signature is missing: give the webhook its secret."),
    };
  const hosts = sites.flatMap(({ host, webhookSecret }) =>
    isSignedHex(webhookSecret?.reveal() ?? "", body, signature) ? [host] : [],
  );
  if (hosts.length === 0)
    return { ...unsigned, problem: refused(401, "The signature is not right: compare the secrets.") };
  return { hosts, signature };
}
