/** Webhooks of GitHub: https://docs.github.com/webhooks/webhook-events-and-payloads. */
import { z } from "zod";
import type { Heard, HookRequest } from "../../../src/forge.ts";
import { GitRef, Sha } from "../../../src/names.ts";
import { readComment } from "../comment-commands.ts";
import { expecting, isPlain, line, nothing, pullRequestNumber, readPayload, refused } from "../payload.ts";
import { type ChangeOfRepository, changesOf } from "../projects.ts";
import { Commits, readPush } from "../pushed.ts";
import { isSignedHex } from "../signature.ts";

/** GitHub tells of no more commits of one push. */
const COMMITS_TOLD = 2_048;

const Repository = z.object({ full_name: line });
const User = z.object({ login: line });

const Push = z.object({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  forced: z.boolean().default(false),
  commits: Commits.default([]),
  head_commit: z.object({ id: z.string() }).nullish(),
  pusher: z.object({ name: line }).optional(),
  sender: User.optional(),
  repository: Repository,
});

const PullRequest = z.object({
  action: z.string(),
  number: pullRequestNumber,
  pull_request: z.object({
    title: line,
    user: User.nullish(),
    draft: z.boolean().default(false),
    author_association: z.string().default("NONE"),
    head: z.object({ sha: Sha, repo: Repository.nullish() }),
    base: z.object({ ref: GitRef, repo: Repository }),
  }),
  changes: z.object({ base: z.unknown().optional() }).optional(),
  sender: User,
  repository: Repository,
});

const Comment = z.object({
  action: z.string(),
  issue: z.object({ number: pullRequestNumber, pull_request: z.unknown().optional() }),
  comment: z.object({ body: z.string(), author_association: z.string().default("NONE") }),
  sender: User,
  repository: Repository,
});

/** Members of the owning organization and those who were let in by name. Others' code waits, where the project asks. */
const TRUSTED = ["OWNER", "MEMBER", "COLLABORATOR"];

/** O-41, O-42: what else happens to a pull request, such as a label, builds nothing. A new target is as good as a new head. */
const PULL_REQUEST_ACTIONS: Readonly<Record<string, "opened" | "updated" | "closed">> = {
  opened: "opened",
  reopened: "opened",
  synchronize: "updated",
  ready_for_review: "updated",
  closed: "closed",
};

export function readGithubHook({ headers, body, config }: HookRequest): Heard {
  const secret = config.github?.webhookSecret?.reveal();
  if (secret === undefined) return refused(404, "No webhook_secret is configured for github: in docker-ci.yml.");
  const signature = headers.get("x-hub-signature-256");
  if (signature === null)
    return refused(401, "The header X-Hub-Signature-256 is missing: give the webhook its secret.");
  if (!isSignedHex(secret, body, signature)) return refused(401, "The signature is not right: compare the secrets.");
  const event = headers.get("x-github-event");
  const delivery = headers.get("x-github-delivery");
  if (!isPlain(event)) return refused(400, "The header X-GitHub-Event is missing.");
  if (!isPlain(delivery)) return refused(400, "The header X-GitHub-Delivery is missing.");

  const of = (repository: string, changes: readonly ChangeOfRepository[]): Heard =>
    changesOf(config, { kind: "github", hosts: [], repository }, { id: delivery, signature }, changes);
  const payload = readPayload(headers, body);
  switch (event) {
    case "ping":
      return payload === undefined ? refused(400, "The body is no JSON.") : nothing("Pong.");
    case "push":
      return expecting(Push, payload, "a push", ({ repository, sender, pusher, head_commit, ...push }) => {
        const change = readPush({
          ...push,
          isWhole: !push.forced && push.commits.length < COMMITS_TOLD,
          commit: head_commit?.id,
          by: sender?.login ?? pusher?.name ?? "somebody",
        });
        return typeof change === "string" ? nothing(change) : of(repository.full_name, [change]);
      });
    case "pull_request":
      return expecting(PullRequest, payload, "a pull request", readPullRequest);
    case "issue_comment":
      return expecting(Comment, payload, "a comment", (said) => {
        const changes = readComment(said, {
          isOnPullRequest: said.issue.pull_request !== undefined && said.issue.pull_request !== null,
          isCollaborator: TRUSTED.includes(said.comment.author_association),
        });
        return typeof changes === "string" ? nothing(changes) : of(said.repository.full_name, changes);
      });
    default:
      return payload === undefined ? refused(400, "The body is no JSON.") : nothing(`Nothing is done about ${event}.`);
  }

  function readPullRequest({ number, pull_request: it, ...rest }: z.output<typeof PullRequest>): Heard {
    const retargeted = rest.action === "edited" && rest.changes?.base !== undefined;
    const action = retargeted ? "updated" : PULL_REQUEST_ACTIONS[rest.action];
    if (action === undefined) return nothing(`Nothing is done about a pull request that was ${rest.action}.`);
    // Whoever pushed a branch of the repository itself may push to it.
    const isOwnBranch = it.head.repo?.full_name === it.base.repo.full_name;
    return of(rest.repository.full_name, [
      {
        kind: "pull_request",
        number,
        action,
        head: it.head.sha,
        into: it.base.ref,
        title: it.title,
        isTrusted: isOwnBranch || TRUSTED.includes(it.author_association),
        isDraft: it.draft,
        by: action === "closed" ? rest.sender.login : (it.user?.login ?? rest.sender.login),
      },
    ]);
  }
}
