/** What is asked of GitHub, Gitea and GitLab, and what their answers mean. */
import { describe, expect, test } from "vitest";
import { forgeApis } from "../../../adapters/forge/apis.ts";
import type { Forge } from "../../../src/config.ts";
import { RuntimeError } from "../../../src/errors.ts";
import { type ForgeApi, ForgeLimit } from "../../../src/forge.ts";
import { Sha } from "../../../src/names.ts";
import { BAD_GATEWAY, FORGE_TOKEN, type ForgeServer, limitReached, startForge } from "../../support/forge-server.ts";
import { freePort } from "../../support/loopback.ts";
import { configOf } from "../../support/records.ts";

const SIGNAL = new AbortController().signal;
const STATUS = {
  sha: Sha.parse("0".repeat(40)),
  state: "success",
  description: "passed in 4.1s · 6 tests",
  url: "https://ci.example.org/builds/42",
  context: "docker-ci/docker-registry",
} as const;

type Kind = "github" | "gitea" | "gitlab";

function connectAny(
  kind: Kind,
  { url, host }: Pick<ForgeServer, "url" | "host">,
  token = FORGE_TOKEN,
): [ForgeApi, Forge] {
  const config = configOf(
    kind === "github"
      ? `github: { token: "${token}", api_url: "${url}" }`
      : `${kind}: [{ token: "${token}", url: "${url}" }]`,
  );
  const repository = { owner: "distribution", name: "distribution" };
  const forge: Forge = kind === "github" ? { kind, ...repository } : { kind, host, ...repository };
  const api = forgeApis(config, "1.0.0")(forge);
  if (api === undefined) throw new Error("there is a token");
  return [api, forge];
}

/** One that sets statuses and puts up releases, too. */
function connect(...[kind, server, token]: Parameters<typeof connectAny>): [Required<ForgeApi>, Forge] {
  const [api, forge] = connectAny(kind, server, token);
  const { setStatus, release } = api;
  if (setStatus === undefined || release === undefined) throw new Error("it sets no statuses, or puts up no releases");
  return [{ ...api, setStatus, release }, forge];
}

async function failure(work: Promise<unknown>): Promise<RuntimeError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

describe.each<Kind>(["github", "gitea"])("%s", (kind) => {
  test("a status is set, and replaces nothing but its own", async () => {
    await using server = await startForge(kind);
    const [api, forge] = connect(kind, server);
    await api.setStatus(forge, STATUS, SIGNAL);
    const { url: target_url, ...same } = STATUS;
    expect(server.statuses).toEqual([{ ...same, target_url }]);
  });

  test("a release is put up once, and changed from then on", async () => {
    await using server = await startForge(kind);
    const [api, forge] = connect(kind, server);
    const release = { tag: "v0.9.0", sha: STATUS.sha, title: "0.9.0", notes: "- one", isPrerelease: false };
    await api.release(forge, release, SIGNAL);
    await api.release(forge, { ...release, notes: "- two" }, SIGNAL);
    await api.release(forge, { ...release, tag: "v0.9.1-rc.1", isPrerelease: true }, SIGNAL);
    expect(server.releases).toEqual([
      {
        id: 1,
        tag_name: "v0.9.0",
        target_commitish: STATUS.sha,
        name: "0.9.0",
        body: "- two",
        prerelease: false,
      },
      expect.objectContaining({ id: 2, tag_name: "v0.9.1-rc.1", prerelease: true }),
    ]);
    await api.release(forge, { ...release, tag: "v0.8.2", isLatest: false }, SIGNAL);
    expect(server.releases.at(-1)).toMatchObject({ tag_name: "v0.8.2", make_latest: "false" });
  });

  test("a comment is written once, and edited from then on", async () => {
    await using server = await startForge(kind);
    const [api, forge] = connect(kind, server);
    await api.comment(forge, 12, "docker-ci/a", "one", SIGNAL);
    await api.comment(forge, 12, "docker-ci/b", "other", SIGNAL);
    await api.comment(forge, 12, "docker-ci/a", "two", SIGNAL);
    expect(server.comments.map(({ body }) => body)).toEqual([
      "<!-- docker-ci/a -->\ntwo",
      "<!-- docker-ci/b -->\nother",
    ]);
  });

  test("somebody else's comment that looks like ours is left alone", async () => {
    await using server = await startForge(kind);
    const mine = "<!-- docker-ci/a -->\nall is well";
    server.comments.push({ id: 1, pullRequest: 12, body: mine, user: { login: "mallory", type: "User" } });
    const [api, forge] = connect(kind, server);
    await api.comment(forge, 12, "docker-ci/a", "one", SIGNAL);
    expect(server.comments.map(({ body }) => body)).toEqual([mine, "<!-- docker-ci/a -->\none"]);
  });

  test("a comment of ours behind hundreds of others is found", async () => {
    await using server = await startForge(kind);
    const user = { login: "bob", type: "User" };
    for (let id = 1; id <= 250; id += 1) server.comments.push({ id, pullRequest: 12, body: `comment ${id}`, user });
    const [api, forge] = connect(kind, server);
    await api.comment(forge, 12, "docker-ci/a", "one", SIGNAL);
    await api.comment(forge, 12, "docker-ci/a", "two", SIGNAL);
    expect(server.comments).toHaveLength(251);
    expect(server.comments.at(-1)?.body).toContain("two");
  });

  test("the token of an app, which is no user, edits what an app wrote", async () => {
    await using server = await startForge(kind);
    server.isApp = true;
    const [api, forge] = connect(kind, server);
    await api.comment(forge, 12, "docker-ci/a", "one", SIGNAL);
    await api.comment(forge, 12, "docker-ci/a", "two", SIGNAL);
    expect(server.comments.map(({ body }) => body)).toEqual(["<!-- docker-ci/a -->\ntwo"]);
  });

  test("a repository that was renamed is followed, and the call stays what it was", async () => {
    await using server = await startForge(kind);
    server.formerly = "distribution/distribution";
    server.repository = "distribution/registry";
    const [api, forge] = connect(kind, server);
    await api.setStatus(forge, STATUS, SIGNAL);
    expect(server.statuses).toHaveLength(1);
  });

  test("whoever checks learns whether the token may write", async () => {
    await using server = await startForge(kind);
    const [api, forge] = connect(kind, server);
    expect(await api.probe(forge, SIGNAL)).toEqual({ mayWrite: true, mayAsk: true });
    server.mayPush = false;
    server.isAdmin = false;
    expect(await api.probe(forge, SIGNAL)).toEqual({ mayWrite: false, mayAsk: false });
  });

  test.each([
    ["owner", true],
    ["admin", true],
    ["write", true],
    ["read", false],
    ["none", false],
    [undefined, false],
  ])("who has the permission %s may push: %s", async (permission, expected) => {
    await using server = await startForge(kind);
    if (permission !== undefined) server.people.set("eve", permission);
    const [api, forge] = connect(kind, server);
    expect(await api.mayPush(forge, { name: "eve" }, SIGNAL)).toBe(expected);
  });
});

describe("gitlab", () => {
  test.each([
    [50, true],
    [30, true],
    [20, false],
    [undefined, false],
  ])("who has the access level %s may push: %s", async (level, expected) => {
    await using server = await startForge("gitlab");
    if (level !== undefined) server.people.set("7", level);
    const [api, forge] = connectAny("gitlab", server);
    expect(await api.mayPush(forge, { name: "eve", id: 7 }, SIGNAL)).toBe(expected);
    // A name alone proves nothing.
    expect(await api.mayPush(forge, { name: "eve" }, SIGNAL)).toBe(false);
  });

  test("a merge request has one comment of ours, behind whatever others, edited from then on", async () => {
    await using server = await startForge("gitlab");
    const mine = "<!-- docker-ci/a -->\nall is well";
    const user = { login: "mallory", type: "User" };
    for (let id = 1; id <= 120; id += 1) server.comments.push({ id, pullRequest: 12, body: mine, user });
    const [api, forge] = connectAny("gitlab", server);
    await api.comment(forge, 12, "docker-ci/a", "one", SIGNAL);
    await api.comment(forge, 12, "docker-ci/a", "two", SIGNAL);
    await api.comment(forge, 12, "docker-ci/a", "two", SIGNAL);
    expect(server.comments.slice(120).map(({ body }) => body)).toEqual(["<!-- docker-ci/a -->\ntwo"]);
    expect(server.calls.filter((call) => !call.startsWith("GET"))).toHaveLength(2);
  });

  test("a wrong token and a project that it does not see are told as that", async () => {
    await using server = await startForge("gitlab");
    const [wrong, forge] = connectAny("gitlab", server, "wrong");
    expect((await failure(wrong.probe(forge, SIGNAL))).message).toMatch(/refuses the token \(401/);
    server.repository = "group/below/other";
    const [api] = connectAny("gitlab", server);
    expect((await failure(api.probe(forge, SIGNAL))).message).toMatch(/shows this token no distribution/);
    expect(await api.probe({ ...forge, owner: "group/below", name: "other" }, SIGNAL)).toMatchObject({ mayAsk: true });
  });
});

describe("what will never be taken is told as that", () => {
  test.each<[string, (server: ForgeServer) => void, Partial<{ sha: Sha; token: string }>, RegExp]>([
    ["a wrong token", () => undefined, { token: "wrong" }, /refuses the token \(401: Bad credentials\)/],
    [
      "a repository that it does not see",
      (server) => {
        server.repository = "a/b";
      },
      {},
      /shows this token no distribution\/distribution/,
    ],
    [
      "a commit that is not there",
      () => undefined,
      { sha: Sha.parse("9".repeat(40)) },
      /422: No commit found for SHA: 9999/,
    ],
    [
      "a token that may not",
      (server) => {
        server.mayPush = false;
      },
      {},
      /may not do this in distribution\/distribution \(403: Resource not/,
    ],
    [
      "another host",
      (server) => {
        server.fault = { status: 307, headers: { location: "http://example.org/" } };
      },
      {},
      /sends us elsewhere/,
    ],
  ])("%s", async (_what, stage, { sha = STATUS.sha, token }, expected) => {
    await using server = await startForge();
    stage(server);
    const [api, forge] = connect("github", server, token);
    const error = await failure(api.setStatus(forge, { ...STATUS, sha }, SIGNAL));
    expect(error.message).toMatch(expected);
    expect(error.retryable).toBe(false);
  });
});

describe("what may be taken later", () => {
  test.each([
    ["502", BAD_GATEWAY, /127\.0\.0\.1:\d+ does not work now \(502\)/],
    ["a page in place of JSON", { status: 200, body: "<html>" }, /cannot be read/],
  ])("%s", async (_what, fault, expected) => {
    await using server = await startForge();
    server.fault = fault;
    const [api, forge] = connect("github", server);
    const error = await failure(api.probe(forge, SIGNAL));
    expect(error.message).toMatch(expected);
    expect(error.retryable).toBe(true);
  });

  test("nobody there", async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const [api, forge] = connect("github", { url: `http://${host}`, host });
    const error = await failure(api.setStatus(forge, STATUS, SIGNAL));
    expect([error.message, error.retryable]).toEqual([
      expect.stringMatching(/cannot be reached \(connect ECONNREFUSED/),
      true,
    ]);
  });

  test.each([
    ["the hourly limit", () => limitReached(new Date(Date.now() + 600_000)), 600],
    ["a secondary limit", () => ({ status: 403, headers: { "retry-after": "90" } }), 90],
    ["429", () => ({ status: 429, headers: { "retry-after": "30" } }), 30],
    [
      "one that does not say how long",
      () => ({ status: 403, body: '{"message":"You have exceeded a secondary rate limit"}' }),
      60,
    ],
    ["one that says nonsense", () => limitReached(new Date(Date.now() + 1e10)), 3_600],
  ])("a limit: %s", async (_what, fault, seconds) => {
    await using server = await startForge();
    server.fault = fault();
    const [api, forge] = connect("github", server);
    const error = await failure(api.setStatus(forge, STATUS, SIGNAL));
    if (!(error instanceof ForgeLimit)) throw error;
    expect(error.message).toMatch(/takes no calls before \d\d:\d\d:\d\d UTC/);
    const waitS = (error.until.getTime() - Date.now()) / 1000;
    expect(Math.abs(waitS - seconds)).toBeLessThan(5);
  });
});

test("the token is in no error, whatever comes back", async () => {
  await using server = await startForge();
  server.fault = { status: 400, body: JSON.stringify({ message: `Bearer ${FORGE_TOKEN} is not understood` }) };
  const [api, forge] = connect("github", server);
  const refused = await failure(api.setStatus(forge, STATUS, SIGNAL));
  expect(refused.message).toContain("Bearer [secret] is not understood");
  const [broken] = connect("github", server, `${FORGE_TOKEN}\\nX`);
  const error = await failure(broken.setStatus(forge, STATUS, SIGNAL));
  expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain(FORGE_TOKEN);
});
