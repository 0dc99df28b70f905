/** What is made of GitHub's webhooks: of all its own examples, and of what else may come. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readGithubHook } from "../../../adapters/forge/github/read-hook.ts";
import type { Heard } from "../../../src/forge.ts";
import { configOf } from "../../support/records.ts";
import { A, asForm, B, fromGithub, githubPush, readWith, SECRET, type Sent, ZEROS } from "../../support/webhooks.ts";

const Example = z.looseObject({ action: z.string().optional() });
const Definitions = z.array(z.object({ name: z.string(), examples: z.array(Example) }));

/** The package names types for TypeScript that need all of them; its data is a file. */
async function examples() {
  const path = createRequire(import.meta.url).resolve("@octokit/webhooks-examples");
  const definitions = Definitions.parse(JSON.parse(await readFile(path, "utf8")));
  return definitions.flatMap(({ name, examples: payloads }) => payloads.map((payload) => ({ name, payload })));
}

const HELLO_WORLD = configOf(
  `github: { webhook_secret: ${SECRET} }\nprojects: { hello: { repo: ., forge: "github:Codertocat/Hello-World" } }`,
);
const read = (sent: Sent): Heard => readWith(readGithubHook, sent);

describe("GitHub's own examples", () => {
  test("are all heard, and each changes what it should (O-41, O-42, O-44)", async () => {
    const all = await examples();
    expect(all.length).toBeGreaterThan(300);
    const counts: Record<string, number> = {};
    for (const { name, payload } of all) {
      for (const sent of [fromGithub(name, payload), asForm(name, payload)]) {
        const heard = readWith(readGithubHook, sent, { config: HELLO_WORLD });
        expect(heard.kind, JSON.stringify({ name, heard })).not.toBe("refused");
        const changes = heard.kind === "changes" ? heard.changes : [];
        const what = changes.map((it) => ("action" in it ? `${it.kind} ${it.action}` : it.kind)).join(", ");
        const key = `${name}${payload.action === undefined ? "" : ` ${payload.action}`}: ${what}`;
        if (what !== "") counts[key] = (counts[key] ?? 0) + 1;
      }
    }
    // Each twice, as JSON and as a form.
    expect(counts).toEqual({
      "push: push": 4,
      "push: tag": 2,
      "pull_request opened: pull_request opened": 8,
      "pull_request reopened: pull_request opened": 4,
      "pull_request synchronize: pull_request updated": 2,
      "pull_request ready_for_review: pull_request updated": 6,
      "pull_request closed: pull_request closed": 4,
    });
  });

  test("a pull request with everything that is known of it (O-32, O-41)", async () => {
    const opened = (await examples()).find(
      ({ name, payload }) => name === "pull_request" && payload.action === "opened",
    );
    expect(
      readWith(readGithubHook, fromGithub("pull_request", opened?.payload), { config: HELLO_WORLD }),
    ).toMatchObject({
      changes: [
        {
          project: "hello",
          kind: "pull_request",
          number: 2,
          action: "opened",
          head: "ec26c3e57ca3a959ca5aad62de7213c562f8c821",
          into: "master",
          title: "Update the README with new information.",
          isTrusted: true,
          isDraft: false,
          by: "Codertocat",
        },
      ],
    });
  });

  test("cut short anywhere, they are refused in one sentence", async () => {
    for (const { name, payload } of await examples()) {
      const json = JSON.stringify(payload);
      const heard = read(fromGithub(name, json.slice(0, Math.floor(json.length / 3))));
      expect(heard).toMatchObject({ kind: "refused", status: 400, reason: "The body is no JSON." });
    }
  });

  test("with any part replaced, they crash nothing", async () => {
    const told = (await examples()).filter(({ name }) => ["push", "pull_request", "issue_comment"].includes(name));
    fc.assert(
      fc.property(fc.constantFrom(...told), fc.nat(), fc.jsonValue(), ({ name, payload }, place, value) => {
        const paths = pathsOf(payload);
        const replaced = replace(payload, paths[place % paths.length] ?? [], value);
        const heard = readWith(readGithubHook, fromGithub(name, replaced), { config: HELLO_WORLD });
        expect(["changes", "nothing", "refused"]).toContain(heard.kind);
        if (heard.kind === "refused") expect(heard.reason).toMatch(/^[A-Z][^\n]{0,600}\.$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a push", () => {
  const pushed = (changes: Record<string, unknown>) => read(fromGithub("push", githubPush(changes)));

  test("is one of every project that is built from the repository (O-31, O-32, O-43)", () => {
    const sent = fromGithub("push", githubPush(), { "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" });
    const change = {
      kind: "push",
      branch: "main",
      before: A,
      after: B,
      messages: ["Fix it"],
      files: ["new.go", "go.mod"],
      by: "ada",
    };
    expect(read(sent)).toMatchObject({
      kind: "changes",
      delivery: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      changes: [
        { ...change, project: "engine" },
        { ...change, project: "engine-slow" },
      ],
    });
  });

  test.each([
    ["of a branch with slashes (O-45)", { ref: "refs/heads/ada/fix/it" }, { branch: "ada/fix/it" }],
    ["of a new branch", { before: ZEROS, created: true }, { before: undefined, files: undefined }],
    ["by force, when the commits do not tell all", { forced: true }, { before: A, files: undefined }],
    ["of SHA-256", { before: A.padEnd(64, "a"), after: B.padEnd(64, "b") }, { after: B.padEnd(64, "b") }],
    ["of a tag", { ref: "refs/tags/v1.0", before: ZEROS }, { kind: "tag", tag: "v1.0", sha: B }],
    [
      "of a tag with a message: what it leads to is built",
      { ref: "refs/tags/v1.0", after: A, head_commit: { id: B } },
      { kind: "tag", sha: B },
    ],
    [
      "whose message has controls and no end",
      { commits: [{ message: `[skip ci]\u0000\u001b[31m\n${"x".repeat(1e6)}`, added: [], modified: [], removed: [] }] },
      { messages: [`[skip ci][31m\n${"x".repeat(1984)}`] },
    ],
    [
      "with a file whose name has controls, which then are unknown",
      { commits: [{ message: "", added: ["a\nb"], modified: [], removed: [] }] },
      { files: undefined },
    ],
  ])("%s", (_, changes, expected) => {
    expect(pushed(changes)).toMatchObject({ changes: [expected, expected] });
  });

  test.each([
    ["of a deleted branch (O-44)", { after: ZEROS, deleted: true, head_commit: null }, "The branch was deleted."],
    ["of a deleted tag", { ref: "refs/tags/v1", after: ZEROS, deleted: true }, "The tag was deleted."],
    ["of neither branch nor tag (O-45)", { ref: "refs/notes/commits" }, "Only branches and tags are built."],
    ["of a branch that git would take for an option", { ref: "refs/heads/-x" }, "A name like this is not built."],
    ["of a branch with a line break", { ref: "refs/heads/a\nb" }, "A name like this is not built."],
  ])("%s is none", (_, changes, reason) => {
    expect(pushed(changes)).toEqual({ kind: "nothing", reason });
  });

  test("of a repository that no project has is refused (O-32)", () => {
    expect(pushed({ repository: { full_name: "octo-team/oth\u001ber" } })).toEqual({
      kind: "refused",
      status: 404,
      reason: "No project here is built from octo-team/other.",
    });
  });

  test("without what it needs is refused with the place", () => {
    expect(pushed({ after: undefined })).toMatchObject({
      status: 400,
      reason: "This is not a push as it should be: look at after.",
    });
  });
});

describe("a pull request", () => {
  const repository = { full_name: "octo-team/engine" };
  const payload = (changes: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
    action: "opened",
    number: 12,
    pull_request: {
      title: "Fix it",
      user: { login: "mallory" },
      draft: false,
      author_association: "NONE",
      head: { ref: "main", sha: B, repo: { full_name: "mallory/engine" } },
      base: { ref: "release/1.0", sha: A, repo: repository },
      ...changes,
    },
    sender: { login: "eve" },
    repository,
    ...more,
  });
  const changed = (changes: Record<string, unknown>, more?: Record<string, unknown>) =>
    read(fromGithub("pull_request", payload(changes, more)));

  test.each([
    ["of an outsider is not trusted", {}, {}, { isTrusted: false, by: "mallory" }],
    ["of one who contributed before neither", { author_association: "CONTRIBUTOR" }, {}, { isTrusted: false }],
    ["of a collaborator is", { author_association: "COLLABORATOR" }, {}, { isTrusted: true }],
    ["from the repository itself is", { head: { sha: B, repo: repository } }, {}, { isTrusted: true }],
    ["whose fork is gone is not", { head: { sha: B, repo: null } }, {}, { isTrusted: false }],
    ["goes into its own target (O-47)", {}, {}, { into: "release/1.0", head: B }],
    ["may be a draft", { draft: true }, {}, { isDraft: true }],
    ["closed by somebody else", {}, { action: "closed" }, { action: "closed", by: "eve" }],
    [
      "with another target",
      {},
      { action: "edited", changes: { base: { ref: { from: "main" } } } },
      { action: "updated" },
    ],
    ["has a title of one clean line", { title: "a\u0007\nb\u202e" }, {}, { title: "a b" }],
  ])("%s", (_, changes, more, expected) => {
    expect(changed(changes, more)).toMatchObject({ changes: [expected, expected] });
  });

  test.each([["labeled"], ["assigned"], ["edited"], ["converted_to_draft"], ["locked"], ["frobnicated"]])(
    "that was %s builds nothing (O-42)",
    (action) => {
      expect(changed({}, { action })).toMatchObject({ kind: "nothing" });
    },
  );
});

describe("a comment", () => {
  const commented = (body: string, changes: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    read(
      fromGithub("issue_comment", {
        action: "created",
        issue: { number: 12, pull_request: { url: "https://api.github.com/x" } },
        comment: { body, author_association: "MEMBER", ...changes },
        sender: { login: "ada" },
        repository: { full_name: "octo-team/engine" },
        ...more,
      }),
    );
  const said = (heard: Heard) =>
    heard.kind === "changes" ? heard.changes.flatMap((it) => (it.kind === "comment" ? [it.command] : [])) : [];

  test.each([
    ["/test", ["test"]],
    ["/retest  ", ["retest"]],
    ["Looks good.\r\n/ok-to-test\r\nThanks!", ["ok-to-test"]],
    ["/cancel\n/test\n/cancel", ["cancel", "test"]],
    ["please /test this", []],
    ["> /test", []],
    ["/testing", []],
    ["/test all", []],
    [" /test", []],
    ["```\n/test\n```\n/cancel", ["cancel"]],
    ["", []],
  ])("%j says %j", (body, expected) => {
    expect(said(commented(body))).toEqual([...expected, ...expected]);
  });

  test.each([["OWNER"], ["MEMBER"], ["COLLABORATOR"]])("of %s counts", (author_association) => {
    expect(commented("/test", { author_association })).toMatchObject({
      changes: [{ isCollaborator: true, by: "ada" }, {}],
    });
  });

  test.each([["CONTRIBUTOR"], ["FIRST_TIMER"], ["NONE"], ["owner"], [undefined]])(
    "of %s does not",
    (author_association) => {
      expect(commented("/test", { author_association })).toMatchObject({ changes: [{ isCollaborator: false }, {}] });
    },
  );

  test("that was edited or deleted, or is on an issue, is not read", () => {
    expect(said(commented("/test", {}, { action: "edited" }))).toEqual([]);
    expect(said(commented("/test", {}, { action: "deleted" }))).toEqual([]);
    expect(said(commented("/test", {}, { issue: { number: 3 } }))).toEqual([]);
  });
});

describe("a webhook that is not GitHub's", () => {
  const sent = fromGithub("push", githubPush());
  const without = (name: string): Sent => ({
    ...sent,
    headers: Object.fromEntries(Object.entries(sent.headers).filter(([key]) => key !== name)),
  });
  const signed = (signature: string): Sent => fromGithub("push", githubPush(), { "x-hub-signature-256": signature });
  const right = sent.headers["x-hub-signature-256"] ?? "";

  test.each<[string, Sent, number, RegExp]>([
    ["unsigned", without("x-hub-signature-256"), 401, /X-Hub-Signature-256 is missing/],
    [
      "signed with SHA-1",
      { ...without("x-hub-signature-256"), headers: { "x-hub-signature": "sha1=00" } },
      401,
      /missing/,
    ],
    ["signed with nothing", signed(""), 401, /not right/],
    ["signed with another secret", signed(`sha256=${"0".repeat(64)}`), 401, /not right/],
    ["signed in part", signed(right.slice(0, -2)), 401, /not right/],
    ["with a body of another", { ...sent, body: `${sent.body} ` }, 401, /not right/],
    ["without an event", without("x-github-event"), 400, /X-GitHub-Event/],
    ["without a delivery", without("x-github-delivery"), 400, /X-GitHub-Delivery/],
    [
      "with a delivery that is too long",
      fromGithub("push", githubPush(), { "x-github-delivery": "x".repeat(999) }),
      400,
      /Del/,
    ],
  ])("%s", (_, it, status, reason) => {
    expect(read(it)).toMatchObject({ kind: "refused", status, reason: expect.stringMatching(reason) });
  });

  test("is not even looked at where there is no secret", () => {
    const config = configOf('projects: { engine: { repo: ., forge: "github:octo-team/engine" } }');
    expect(readWith(readGithubHook, sent, { config })).toMatchObject({ status: 404, reason: /webhook_secret/ });
  });
});

test("a ping is answered", () => {
  expect(read(fromGithub("ping", { zen: "Keep it logically awesome." }))).toEqual({ kind: "nothing", reason: "Pong." });
});

test("an event of tomorrow is heard and nothing is done", () => {
  expect(read(fromGithub("frobnication", {}))).toEqual({
    kind: "nothing",
    reason: "Nothing is done about frobnication.",
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, before: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [before];
  return [before, ...Object.entries(value).flatMap(([key, entry]) => pathsOf(entry, [...before, key]))];
}

function replace(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined || typeof value !== "object" || value === null) return by;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, key === first ? replace(entry, rest, by) : entry]),
  );
}
