/** Webhooks of GitLab: https://docs.gitlab.com/user/project/integrations/webhook_events. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Heard, HookRequest } from "../../../src/forge.ts";
import { GitRef, Sha } from "../../../src/names.ts";
import { commandsIn, NO_COMMAND } from "../comment-commands.ts";
import { expecting, isPlain, line, nothing, pullRequestNumber, readPayload, refused } from "../payload.ts";
import { type ChangeOfRepository, changesOf } from "../projects.ts";
import { Commits, readPush } from "../pushed.ts";
import { isSameText, isSignedOfNow } from "../signature.ts";

const Kind = z.object({ object_kind: z.string() });
const Project = z.object({ path_with_namespace: line });
const User = z.object({ username: line });

const Push = z.object({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  checkout_sha: z.string().nullish(),
  commits: Commits.default([]),
  total_commits_count: z.number().optional(),
  user_username: line,
  project: Project,
});

const Changed = z.object({ previous: z.unknown().optional(), current: z.unknown().optional() }).nullish();
const MergeRequest = z.object({
  user: User,
  project: Project,
  object_attributes: z.object({
    iid: pullRequestNumber,
    action: z.string().default("none"),
    /** The head before, where there is a new one. */
    oldrev: z.string().nullish(),
    title: line,
    target_branch: GitRef,
    source_project_id: z.number().nullable(),
    target_project_id: z.number(),
    last_commit: z.object({ id: Sha }),
    draft: z.boolean().optional(),
    work_in_progress: z.boolean().optional(),
  }),
  changes: z.object({ draft: Changed, work_in_progress: Changed, target_branch: Changed }).partial().optional(),
});

const Note = z.object({
  user: User,
  project: Project,
  object_attributes: z.object({
    note: z.string(),
    noteable_type: z.string(),
    action: z.string().default("create"),
    author_id: z.number().int().positive().optional(),
  }),
  merge_request: z.object({ iid: pullRequestNumber }).optional(),
});

export function readGitlabHook({ headers, body, config, now }: HookRequest): Heard {
  const sites = config.gitlab.filter(({ webhookSecret }) => webhookSecret !== undefined);
  if (sites.length === 0) return refused(404, "No webhook_secret is configured under gitlab: in docker-ci.yml.");
  const isRight = proof(headers, body, now);
  if (isRight === undefined)
    return refused(401, "The header X-Gitlab-Token or webhook-signature is missing: give the webhook its secret.");
  const hosts = sites.flatMap(({ host, webhookSecret }) => (isRight(webhookSecret?.reveal() ?? "") ? [host] : []));
  if (hosts.length === 0) return refused(401, "The token or signature is not right: compare the secrets.");

  const id = ["idempotency-key", "webhook-id", "x-gitlab-event-uuid"].map((name) => headers.get(name)).find(isPlain);
  // Older ones send none; what they send again is the same to the letter.
  const delivery = id ?? createHash("sha256").update(body).digest("hex");
  const of = (project: string, changes: readonly ChangeOfRepository[]): Heard =>
    changesOf(config, { kind: "gitlab", hosts, repository: project }, { id: delivery }, changes);
  const payload = readPayload(headers, body);
  return expecting(Kind, payload, "a webhook of GitLab", ({ object_kind: kind }) => {
    switch (kind) {
      case "push":
      case "tag_push":
        return expecting(Push, payload, "a push", ({ project, total_commits_count: total, ...push }) => {
          const change = readPush({
            ...push,
            isWhole: total === push.commits.length,
            commit: push.checkout_sha ?? undefined,
            by: push.user_username,
          });
          return typeof change === "string" ? nothing(change) : of(project.path_with_namespace, [change]);
        });
      case "merge_request":
        return expecting(MergeRequest, payload, "a merge request", (said) => readMergeRequest(said, of));
      case "note":
        return expecting(Note, payload, "a comment", ({ object_attributes: it, merge_request, project, user }) => {
          if (it.action !== "create") return nothing("Only new comments are read.");
          if (it.noteable_type !== "MergeRequest" || merge_request === undefined)
            return nothing("Comments on anything but merge requests are not read.");
          const commands = commandsIn(it.note);
          if (commands.length === 0) return nothing(NO_COMMAND);
          const { username: by } = user;
          const userId = it.author_id;
          // GitLab does not tell what somebody may do.
          return of(
            project.path_with_namespace,
            commands.map((command) => ({ kind: "comment", number: merge_request.iid, command, by, userId })),
          );
        });
      default:
        return nothing(`Nothing is done about ${line.parse(kind)}.`);
    }
  });
}

/** Whether a secret is the one that the request proves; undefined where it proves nothing. */
function proof(headers: Headers, body: Buffer, now: Date): ((secret: string) => boolean) | undefined {
  const signatures = headers.get("webhook-signature");
  if (signatures !== null) {
    const signed = {
      id: headers.get("webhook-id") ?? "",
      timestamp: headers.get("webhook-timestamp") ?? "",
      signatures,
    };
    return (secret) => isSignedOfNow(secret, body, signed, now);
  }
  const token = headers.get("x-gitlab-token");
  return token === null ? undefined : (secret) => isSameText(secret, token);
}

function readMergeRequest(
  { object_attributes: it, project, user, changes }: z.output<typeof MergeRequest>,
  of: (project: string, changes: readonly ChangeOfRepository[]) => Heard,
): Heard {
  const isDraft = it.draft ?? it.work_in_progress ?? false;
  const wasDraft = changes?.draft?.previous === true || changes?.work_in_progress?.previous === true;
  const isReady = wasDraft && !isDraft;
  const hasNews = (it.oldrev ?? "") !== "" || isReady || (changes?.target_branch ?? undefined) !== undefined;
  const action = it.action === "update" ? (hasNews ? "updated" : undefined) : MERGE_REQUEST_ACTIONS[it.action];
  if (action === undefined)
    return nothing(`Nothing is done about a merge request for which this came: ${line.parse(it.action)}.`);
  return of(project.path_with_namespace, [
    {
      kind: "pull_request",
      number: it.iid,
      action,
      head: it.last_commit.id,
      into: it.target_branch,
      title: it.title,
      // Whoever pushed a branch of the project itself may push to it.
      isTrusted: it.source_project_id === it.target_project_id,
      isDraft,
      by: user.username,
    },
  ]);
}

/** O-42. */
const MERGE_REQUEST_ACTIONS: Readonly<Record<string, "opened" | "closed">> = {
  open: "opened",
  reopen: "opened",
  close: "closed",
  merge: "closed",
};
