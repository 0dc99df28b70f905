/** Webhooks over HTTP: who is answered what, that each is acted on once and in order, and what survives a kill. */
import type { Hono } from "hono";
import { afterEach, describe, expect, test } from "vitest";
import { READ_HOOK } from "../../adapters/forge/read-hooks.ts";
import type { Clock } from "../../src/clock.ts";
import { RuntimeError, UserError } from "../../src/errors.ts";
import type { Change, Taken, Triggers } from "../../src/triggers/change.ts";
import { createHookSite, type Hooks } from "../../src/web/hooks/hooks.ts";
import { openHookInbox } from "../../src/web/hooks/inbox.ts";
import { createWeb } from "../../src/web/web.tsx";
import { configOf, NOW, openRecords, type Records } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Answer, ask } from "../support/web-client.ts";
import { webDeps } from "../support/web-deps.ts";
import { asForm, FORGES, fromGitea, fromGithub, fromGitlab, githubPush, type Sent } from "../support/webhooks.ts";

const opened: AsyncDisposable[] = [];
const read: Hooks["read"] = async (forge, request) => READ_HOOK[forge](request);
afterEach(async () => {
  for (let next = opened.pop(); next !== undefined; next = opened.pop()) await next[Symbol.asyncDispose]();
});

interface Site extends Records {
  /** What was acted on, in order. */
  readonly taken: readonly { readonly change: Change; readonly delivery: string }[];
  readonly app: Hono;
  send(path: string, sent: Sent, from?: string): Promise<Answer>;
  /** As after a kill: another inbox on the same Redis. */
  again(triggers?: Triggers): Promise<void>;
  idle(): Promise<void>;
}

async function openSite({
  take = async () => ({ kind: "built", builds: [47] }),
  more = "",
  clock = { now: () => NOW },
}: {
  take?: (change: Change) => Promise<Taken>;
  more?: string;
  clock?: Clock;
} = {}): Promise<Site> {
  const records = await openRecords(configOf(`${FORGES}${more}`));
  opened.push(records);
  const taken: { change: Change; delivery: string }[] = [];
  const noting: Triggers = {
    async take(change, delivery) {
      const result = await take(change);
      taken.push({ change, delivery });
      return result;
    },
  };
  const openInbox = (triggers: Triggers) => {
    const inbox = openHookInbox({ redis: records.redis.commands, triggers, clock, log: records.log });
    opened.push(inbox);
    return inbox;
  };
  let inbox = openInbox(noting);
  const hooks = { read, inbox: { put: (...put: Parameters<typeof inbox.put>) => inbox.put(...put) } };
  const app = createWeb(webDeps(records, { hooks, clock }));
  return {
    ...records,
    taken,
    app,
    send: (path, { headers, body }, from) =>
      ask(app, path, { method: "POST", headers, body, ...(from !== undefined && { from }) }),
    async again(triggers = noting) {
      inbox = openInbox(triggers);
      await inbox.idle();
    },
    idle: () => inbox.idle(),
  };
}

const push = (after: string, ref = "refs/heads/main", more: Record<string, unknown> = {}) =>
  fromGithub(
    "push",
    githubPush({ ref, after: after.repeat(40), repository: { full_name: "octo-team/engine" }, ...more }),
  );

const shas = ({ taken }: Site, project = "engine") =>
  taken.flatMap(({ change }) =>
    change.project === project && change.kind === "push" ? [change.after.slice(0, 1)] : [],
  );

describe("a webhook", () => {
  test.each<[string, string, Sent]>([
    ["of GitHub", "/change_hook/github", push("b")],
    ["of GitHub at its other address (O-40)", "/hooks/github", push("b")],
    ["of GitHub as a form (O-40)", "/change_hook/github", asForm("push", githubPush())],
  ])("%s is taken and acted on for each project", async (_, path, sent) => {
    const site = await openSite();
    expect(await site.send(path, sent)).toMatchObject({
      status: 202,
      text: "Taken: push of main to engine, push of main to engine-slow.\n",
    });
    await site.idle();
    expect(site.taken.map(({ change }) => change.project)).toEqual(["engine", "engine-slow"]);
  });

  test("of Gitea and of GitLab is, too", async () => {
    const site = await openSite();
    const repository = { full_name: "octo-team/engine", owner: { login: "ada" } };
    const gitea = fromGitea("push", { ...githubPush(), total_commits: 1, repository });
    expect(await site.send("/change_hook/gitea", gitea)).toMatchObject({
      status: 202,
      text: "Taken: push of main to on-gitea.\n",
    });
    const project = { path_with_namespace: "tools/build/engine" };
    const gitlab = fromGitlab({ ...githubPush(), object_kind: "push", user_username: "ada", project });
    expect(await site.send("/change_hook/gitlab", gitlab)).toMatchObject({ status: 202 });
    await site.idle();
    expect(site.taken.map(({ change }) => change.project)).toEqual(["on-gitea", "on-gitlab"]);
  });

  test("needs no login where everything else does", async () => {
    const site = await openSite({ more: "web: { user: ada, password: hunter2, private: true }" });
    expect((await ask(site.app, "/")).status).toBe(401);
    for (const path of ["/change_hook/github", "/hooks/github"]) {
      expect((await site.send(path, push("b", `refs/heads/${path.slice(1)}`))).status).toBe(202);
    }
    expect(await ask(site.app, "/change_hook/github")).toMatchObject({ status: 405 });
    expect(await ask(site.app, "/change_hook/elsewhere")).toMatchObject({ status: 404 });
  });

  test("that is a ping or of no interest is answered, and nothing is done", async () => {
    const site = await openSite();
    expect(await site.send("/hooks/github", fromGithub("ping", {}))).toMatchObject({ status: 200, text: "Pong.\n" });
    expect((await site.send("/hooks/github", fromGithub("star", {}))).status).toBe(200);
    expect((await site.send("/hooks/github", push("0"))).text).toBe("The branch was deleted.\n");
    await site.idle();
    expect(site.taken).toEqual([]);
  });
});

// O-170: what is unsigned does nothing
describe("a webhook that does nothing:", () => {
  test.each<[string, Sent, number]>([
    ["unsigned", { headers: { "x-github-event": "push" }, body: "{}" }, 401],
    ["signed by another", fromGithub("push", githubPush(), { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }), 401],
    ["of an unknown repository", push("b", "refs/heads/main", { repository: { full_name: "eve/engine" } }), 404],
    ["that is no JSON", fromGithub("push", "hunter2{"), 400],
    ["of more than 25 MiB", fromGithub("push", " ".repeat(25 * 1024 ** 2 + 1)), 413],
  ])("%s", async (_, sent, status) => {
    const site = await openSite();
    const answer = await site.send("/change_hook/github", sent);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(/^[A-Z][^\n]+\.\n$/);
    await site.idle();
    expect(site.taken).toEqual([]);
    const [entry, ...others] = site.entries(40);
    expect(entry).toMatchObject({ msg: "a webhook was refused", forge: "github", status, address: "203.0.113.9" });
    expect(others).toEqual([]);
    // O-46
    expect(JSON.stringify(site.entries())).not.toContain("hunter2");
  });

  test("one whose body is longer than it says, or ends before", async () => {
    const site = await openSite();
    const { headers } = push("b");
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(1024 ** 2));
      },
    });
    const init = { method: "POST", headers, body, duplex: "half" };
    expect((await site.app.request("/change_hook/github", init)).status).toBe(413);
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
    expect((await site.app.request("/change_hook/github", { ...init, body: broken })).status).toBe(400);
  });

  test("after twenty from an address, more are refused without a line in the log; what is signed is still taken", async () => {
    let now = NOW.getTime();
    const site = await openSite({ clock: { now: () => new Date(now) } });
    const wrong: Sent = { headers: {}, body: "{}" };
    const statuses: number[] = [];
    for (let count = 0; count < 25; count += 1) statuses.push((await site.send("/hooks/github", wrong)).status);
    expect(statuses).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
    expect(site.entries(40)).toHaveLength(20);
    expect((await site.send("/hooks/github", push("b"))).status).toBe(202);
    expect((await site.send("/hooks/github", { headers: {}, body: " ".repeat(300_000) })).status).toBe(429);
    expect((await site.send("/hooks/github", wrong, "198.51.100.7")).status).toBe(401);
    now += 61_000;
    expect((await site.send("/hooks/github", wrong)).status).toBe(401);
  });
});

describe("a webhook that comes again", () => {
  test("is taken once, under its own id and under another", async () => {
    const site = await openSite();
    const sent = push("b");
    const replayed = { ...sent, headers: { ...sent.headers, "x-github-delivery": "another" } };
    expect((await site.send("/hooks/github", sent)).status).toBe(202);
    for (const repeated of [sent, replayed]) {
      expect(await site.send("/change_hook/github", repeated)).toMatchObject({
        status: 200,
        text: "This was taken before; nothing more is done.\n",
      });
    }
    await site.idle();
    expect(shas(site)).toEqual(["b"]);
  });

  test("fifty at the same time are one", async () => {
    const site = await openSite();
    const sent = push("b");
    const answers = await Promise.all(Array.from({ length: 50 }, () => site.send("/hooks/github", sent)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    await site.idle();
    expect(shas(site)).toEqual(["b"]);
  });
});

describe("what came is acted on", () => {
  test("after a kill in the middle, in the order in which it came, with the same ids", async () => {
    let killed = true;
    const asked: string[] = [];
    const site = await openSite({
      take: async (change) => {
        asked.push(change.kind);
        return killed ? new Promise<never>(() => undefined) : { kind: "built", builds: [47] };
      },
    });
    for (const sha of ["b", "c", "d"]) expect((await site.send("/hooks/github", push(sha))).status).toBe(202);
    await waitFor("all to be at work", () => asked.length === 6);
    expect(site.taken).toEqual([]);
    killed = false;
    await site.again();
    expect(shas(site)).toEqual(["b", "c", "d"]);
    expect(new Set(site.taken.map(({ delivery }) => delivery)).size).toBe(6);
    // And then never again.
    await site.again({ take: () => Promise.reject(new Error("there is nothing left")) });
  });

  test("again when git is away, in its order, and what was overtaken is left", async () => {
    let away = true;
    const site = await openSite({
      take: async (change) => {
        if (away) throw new RuntimeError("git does not answer");
        return { kind: "skipped", reason: change.kind };
      },
    });
    await site.send("/hooks/github", push("b"));
    await waitFor("git to be missed", () => site.entries(40).length > 0);
    await site.send("/hooks/github", push("c"));
    await site.send("/hooks/github", push("d", "refs/heads/other"));
    away = false;
    await site.idle();
    expect(shas(site).toSorted()).toEqual(["b", "c", "d"]);
    expect(shas(site).indexOf("b")).toBeLessThan(shas(site).indexOf("c"));
    expect(site.entries(50)).toEqual([]);
  });

  test("not when it is out of date: a newer push that got through overtakes an older one that did not", async () => {
    let failing = "b";
    const site = await openSite({
      take: async (change) => {
        if (change.kind === "push" && change.after.startsWith(failing)) throw new RuntimeError("git does not answer");
        return { kind: "built", builds: [48] };
      },
    });
    await Promise.all(["b", "c"].map((sha) => site.send("/hooks/github", push(sha))));
    await waitFor("the newer one", () => shas(site).includes("c"));
    failing = "";
    await site.idle();
    expect(shas(site)).toEqual(["c"]);
  });

  test("once, and given up, when it cannot be done", async () => {
    const site = await openSite({ take: () => Promise.reject(new UserError("There is no such commit.")) });
    await site.send("/hooks/github", push("b"));
    await site.idle();
    expect(site.entries(50).map(({ msg }) => msg)).toEqual(Array(2).fill("a change could not be acted on"));
    await site.again({ take: () => Promise.reject(new Error("it was given up")) });
  });
});

test("while Redis is away, a webhook is told to come again", async () => {
  const site = await openSite();
  await site.idle();
  site.redis.commands.disconnect();
  expect(await site.send("/hooks/github", push("b"))).toMatchObject({
    status: 503,
    text: "Redis does not answer at the moment. Deliver this again in a minute.\n",
  });
});

// O-170: the second port is no second site
test("a listener of its own shows webhooks and nothing else (O-02)", async () => {
  const site = await openSite();
  const hooks = { read, inbox: { put: async () => "written" as const } };
  const app = createHookSite({ ...webDeps(site), hooks });
  const { headers, body } = push("b");
  expect((await ask(app, "/change_hook/github", { method: "POST", headers, body })).status).toBe(202);
  for (const path of ["/", "/api/builds", "/metrics", "/healthz"]) {
    expect(await ask(app, path)).toMatchObject({ status: 404, text: "There is nothing here but webhooks.\n" });
  }
});
