/** What is made of GitLab's webhooks. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readGitlabHook } from "../../../adapters/forge/gitlab/read-hook.ts";
import type { Heard } from "../../../src/forge.ts";
import { configOf, NOW } from "../../support/records.ts";
import { A, B, FORGES, fromGitlab, readWith, SECRET, type Sent, ZEROS } from "../../support/webhooks.ts";

const project = { path_with_namespace: "tools/build/engine" };
const user = { username: "ada" };
const read = (sent: Sent): Heard => readWith(readGitlabHook, sent);

const push = (changes: Record<string, unknown> = {}) => ({
  object_kind: "push",
  ref: "refs/heads/main",
  before: A,
  after: B,
  checkout_sha: B,
  commits: [{ id: B, message: "Fix it", added: [], modified: ["a.go"], removed: [] }],
  total_commits_count: 1,
  user_username: "ada",
  project,
  ...changes,
});

describe("a push", () => {
  test.each([
    ["of a branch", {}, { kind: "push", branch: "main", before: A, after: B, files: ["a.go"], messages: ["Fix it"] }],
    ["of a branch with slashes (O-45)", { ref: "refs/heads/ada/fix" }, { branch: "ada/fix" }],
    ["of more commits than it tells", { total_commits_count: 21 }, { files: undefined }],
    ["of a new branch", { before: ZEROS }, { before: undefined, files: undefined }],
    ["of a tag", { object_kind: "tag_push", ref: "refs/tags/v1", after: A }, { kind: "tag", tag: "v1", sha: B }],
  ])("%s", (_, changes, expected) => {
    expect(read(fromGitlab(push(changes)))).toMatchObject({
      changes: [{ project: "on-gitlab", by: "ada", ...expected }],
    });
  });

  test("that deletes is none (O-44)", () => {
    expect(read(fromGitlab(push({ after: ZEROS, checkout_sha: null })))).toMatchObject({ kind: "nothing" });
  });

  test("of a project that none here is built from is refused", () => {
    expect(read(fromGitlab(push({ project: { path_with_namespace: "engine" } })))).toMatchObject({ status: 404 });
  });
});

describe("a merge request", () => {
  const changed = (changes: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    read(
      fromGitlab({
        object_kind: "merge_request",
        user,
        project,
        object_attributes: {
          iid: 12,
          action: "open",
          title: "Fix it",
          target_branch: "release/1",
          source_project_id: 2,
          target_project_id: 1,
          last_commit: { id: B },
          draft: false,
          ...changes,
        },
        ...more,
      }),
    );

  test.each([
    ["from a fork waits for a word", {}, {}, { isTrusted: false, number: 12, head: B, into: "release/1", by: "ada" }],
    ["from the project itself does not", { source_project_id: 1 }, {}, { isTrusted: true }],
    ["that is open again", { action: "reopen" }, {}, { action: "opened" }],
    ["with a new head", { action: "update", oldrev: A }, {}, { action: "updated" }],
    [
      "that is ready now",
      { action: "update" },
      { changes: { draft: { previous: true, current: false } } },
      { action: "updated", isDraft: false },
    ],
    [
      "with another target",
      { action: "update" },
      { changes: { target_branch: { previous: "main", current: "release/1" } } },
      { action: "updated" },
    ],
    ["that is merged", { action: "merge" }, {}, { action: "closed" }],
    ["that is closed", { action: "close" }, {}, { action: "closed" }],
    ["that is a draft", { draft: true }, {}, { isDraft: true }],
    ["that is a draft of an older GitLab", { draft: undefined, work_in_progress: true }, {}, { isDraft: true }],
  ])("%s (O-42, O-47)", (_, changes, more, expected) => {
    expect(changed(changes, more)).toMatchObject({ changes: [{ kind: "pull_request", ...expected }] });
  });

  test.each([["approved"], ["unapproved"], ["update"]])("of which %s is told builds nothing", (action) => {
    expect(changed({ action }, { changes: { labels: {} } })).toMatchObject({ kind: "nothing" });
  });
});

test("a comment is heard with the number of who wrote it: GitLab does not tell who may do what", () => {
  const note = { note: "/test", noteable_type: "MergeRequest", action: "create", author_id: 7 };
  const said = { object_kind: "note", user, project, object_attributes: note, merge_request: { iid: 12 } };
  expect(read(fromGitlab(said))).toMatchObject({
    changes: [{ kind: "comment", number: 12, command: "test", by: "ada", userId: 7 }],
  });
  const onIssue = { ...said, object_attributes: { ...note, noteable_type: "Issue" }, merge_request: undefined };
  expect(read(fromGitlab(onIssue))).toMatchObject({ kind: "nothing" });
});

test("what else GitLab tells of is heard and nothing is done", () => {
  expect(read(fromGitlab({ object_kind: "pipeline" }))).toEqual({
    kind: "nothing",
    reason: "Nothing is done about pipeline.",
  });
});

describe("a webhook that proves nothing is refused:", () => {
  test.each<[string, Sent, number]>([
    ["another token", fromGitlab(push(), { "x-gitlab-token": "wrong" }), 401],
    ["an empty token", fromGitlab(push(), { "x-gitlab-token": "" }), 401],
    ["no token", { ...fromGitlab(push()), headers: {} }, 401],
    ["nothing in it", fromGitlab(null), 400],
    ["no JSON", { ...fromGitlab({}), body: "{" }, 400],
  ])("%s", (_, sent, status) => {
    expect(read(sent)).toMatchObject({ kind: "refused", status });
  });
});

describe("a signing token in place of the secret token", () => {
  const TOKEN = `whsec_${Buffer.from("a key of some length").toString("base64")}`;
  const config = configOf(
    FORGES.replace(`gitlab.example.org", webhook_secret: ${SECRET}`, `gitlab.example.org", webhook_secret: ${TOKEN}`),
  );
  const signedAt = (at: Date, signature?: string): Sent => {
    const body = JSON.stringify(push());
    const timestamp = String(Math.floor(at.getTime() / 1_000));
    const right = createHmac("sha256", "a key of some length").update(`id-1.${timestamp}.${body}`).digest("base64");
    const headers = {
      "webhook-id": "id-1",
      "webhook-timestamp": timestamp,
      "webhook-signature": signature ?? `v1,${Buffer.alloc(32).toString("base64")} v1,${right}`,
    };
    return { headers, body };
  };
  const heard = (sent: Sent) => readWith(readGitlabHook, sent, { config });

  test("is proof, one of several too", () => {
    expect(heard(signedAt(NOW))).toMatchObject({ delivery: "id-1", changes: [{ project: "on-gitlab" }] });
  });

  test("is none when it is wrong, or old", () => {
    expect(heard(signedAt(NOW, "v1,AAAA"))).toMatchObject({ status: 401 });
    expect(heard(signedAt(new Date(NOW.getTime() - 301_000)))).toMatchObject({ status: 401 });
    expect(heard(signedAt(new Date(NOW.getTime() + 301_000)))).toMatchObject({ status: 401 });
  });

  test("is not told to anybody who sends the token itself beside a wrong signature", () => {
    const sent = signedAt(NOW, "v1,AAAA");
    expect(heard({ ...sent, headers: { ...sent.headers, "x-gitlab-token": TOKEN } })).toMatchObject({ status: 401 });
  });
});
