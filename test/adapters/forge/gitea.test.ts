/** What is made of webhooks of Gitea and Forgejo. */
import { describe, expect, test } from "vitest";
import { readGiteaHook } from "../../../adapters/forge/gitea/read-hook.ts";
import type { Heard } from "../../../src/forge.ts";
import { configOf } from "../../support/records.ts";
import { A, B, fromGitea, hmac, readWith, type Sent, ZEROS } from "../../support/webhooks.ts";

const repository = { full_name: "octo-team/engine", owner: { login: "octo-team" } };
const sender = { login: "ada" };
const read = (sent: Sent): Heard => readWith(readGiteaHook, sent);

describe("a push", () => {
  const commit = (message: string, ...modified: string[]) => ({ id: B, message, added: [], removed: [], modified });
  const payload = (changes: Record<string, unknown> = {}) => ({
    ref: "refs/heads/main",
    before: A,
    after: B,
    commits: [commit("Newest", "b.go"), commit("Older", "a.go")],
    total_commits: 2,
    head_commit: { id: B },
    sender,
    repository,
    ...changes,
  });

  test("changes the project on the forge whose secret signed it, the newest commit last", () => {
    expect(read(fromGitea("push", payload(), { "x-gitea-delivery": "f6266f16" }))).toMatchObject({
      delivery: "f6266f16",
      changes: [
        { project: "on-gitea", branch: "main", messages: ["Older", "Newest"], files: ["a.go", "b.go"], by: "ada" },
      ],
    });
    const body = JSON.stringify(payload());
    const elsewhere = fromGitea("push", payload(), { "x-gitea-signature": hmac(body, "another") });
    expect(read(elsewhere)).toMatchObject({ changes: [{ project: "on-another" }] });
  });

  test("comes from Forgejo, or signed as GitHub does, just the same", () => {
    const { headers, body } = fromGitea("push", payload());
    const forgejo = { "x-forgejo-event": "push", "x-forgejo-delivery": "1", "x-forgejo-signature": hmac(body) };
    expect(read({ headers: forgejo, body })).toMatchObject({ changes: [{ project: "on-gitea" }] });
    const hub = { ...headers, "x-gitea-signature": "", "x-hub-signature-256": `sha256=${hmac(body)}` };
    expect(read({ headers: hub, body })).toMatchObject({ changes: [{ project: "on-gitea" }] });
  });

  test.each([
    ["of which not every commit is told", { total_commits: 9 }, { files: undefined }],
    ["of a new branch without commits", { before: ZEROS, commits: null }, { before: undefined, files: undefined }],
    ["of a branch with slashes (O-45)", { ref: "refs/heads/ada/fix" }, { branch: "ada/fix" }],
    ["of a tag", { ref: "refs/tags/v1", before: ZEROS }, { kind: "tag", tag: "v1", sha: B }],
  ])("%s", (_, changes, expected) => {
    expect(read(fromGitea("push", payload(changes)))).toMatchObject({ changes: [expected] });
  });

  test("that deletes is none (O-44)", () => {
    expect(read(fromGitea("push", payload({ after: ZEROS })))).toMatchObject({ kind: "nothing" });
    expect(read(fromGitea("delete", { ref: "main", ref_type: "branch", repository, sender }))).toMatchObject({
      kind: "nothing",
    });
  });
});

describe("a pull request", () => {
  const changed = (changes: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    read(
      fromGitea("pull_request", {
        action: "opened",
        number: 12,
        pull_request: {
          title: "Fix it",
          user: { login: "mallory" },
          head: { ref: "main", sha: B, repo_id: 2 },
          base: { ref: "release/1", sha: A, repo_id: 1 },
          ...changes,
        },
        sender,
        repository,
        ...more,
      }),
    );

  test.each([
    ["from a fork waits for a word", {}, {}, { isTrusted: false, by: "mallory", into: "release/1", number: 12 }],
    ["from the repository itself does not", { head: { sha: B, repo_id: 1 } }, {}, { isTrusted: true }],
    ["by the owner neither", { user: { login: "octo-team" } }, {}, { isTrusted: true }],
    ["with a new head", {}, { action: "synchronized" }, { action: "updated" }],
    ["with another target", {}, { action: "edited", changes: { ref: { from: "main" } } }, { action: "updated" }],
    ["that is ready now", {}, { action: "edited", changes: { title: { from: "WIP: Fix it" } } }, { action: "updated" }],
    ["that is a draft by its title", { title: "[WIP] Fix it" }, {}, { isDraft: true }],
    ["closed by somebody else", {}, { action: "closed" }, { action: "closed", by: "ada" }],
  ])("%s (O-42, O-47)", (_, changes, more, expected) => {
    expect(changed(changes, more)).toMatchObject({ changes: [{ kind: "pull_request", ...expected }] });
  });

  test.each([
    ["label_updated", {}],
    ["assigned", {}],
    ["edited", { changes: { title: { from: "Fixed it" } } }],
  ])("that was %s builds nothing (O-42)", (action, more) => {
    expect(changed({}, { action, ...more })).toMatchObject({ kind: "nothing" });
  });
});

test.each([
  ["of the owner counts", "octo-team", true, true],
  ["of anybody else is asked about, as Gitea does not tell who may do what", "ada", true, "unknown"],
  ["on an issue is not read", "octo-team", false, undefined],
])("a comment %s", (_, login, is_pull, isCollaborator) => {
  const comment = { body: "/retest" };
  const payload = { action: "created", is_pull, issue: { number: 12 }, comment, sender: { login }, repository };
  const said = isCollaborator === "unknown" ? undefined : isCollaborator;
  const changes = [{ kind: "comment", number: 12, command: "retest", isCollaborator: said, by: login }];
  expect(read(fromGitea("issue_comment", payload))).toMatchObject(
    isCollaborator === undefined ? { kind: "nothing" } : { changes },
  );
});

test.each<[string, Sent, number]>([
  ["without a signature", fromGitea("push", {}, { "x-gitea-signature": "" }), 401],
  ["with a wrong signature", fromGitea("push", {}, { "x-gitea-signature": hmac("{}", "wrong") }), 401],
  ["without an event", fromGitea("", {}), 400],
  ["without a delivery", fromGitea("push", {}, { "x-gitea-delivery": "" }), 400],
  ["without a repository", fromGitea("push", {}), 400],
])("a webhook %s is refused", (_, sent, status) => {
  expect(read(sent)).toMatchObject({ kind: "refused", status });
});

test("where no forge has a secret, nothing is looked at", () => {
  const config = configOf('gitea: [{ url: "https://git.example.org" }]');
  expect(readWith(readGiteaHook, fromGitea("push", {}), { config })).toMatchObject({ status: 404 });
});
