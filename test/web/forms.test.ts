/** The forms that change something, as a browser sends them with and without somebody's will. */
import { describe, expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import type { WebDeps } from "../../src/web/deps.ts";
import { formToken } from "../../src/web/login/credentials.ts";
import { createFormKey } from "../../src/web/login/form-key.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, CONFIG, clock, configOf, openRecords } from "../support/records.ts";
import { type Asking, ask, basic, readable } from "../support/web-client.ts";
import { webDeps } from "../support/web-deps.ts";

const WEB = `
web: { user: ada, password: secret, trusted_proxy: { addresses: 10.0.0.1, header: X-User } }
people: { bob: { web: bob } }
`;
const ADA = basic("ada", "secret");
const ENDED = { startedAt: ago(72), finishedAt: ago(0) };

async function openForms(changes: Partial<WebDeps> = {}) {
  const records = await openRecords(configOf(`${CONFIG}${WEB}`));
  const app = createWeb(webDeps(records, changes));
  /** What the page's own form would bring. */
  const hidden = async (path: string, headers: Record<string, string> = ADA) => {
    const { text } = await ask(app, path, { headers });
    const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? "";
    return { token: value("token"), once: value("once") };
  };
  return {
    ...records,
    hidden,
    ask: (path: string, asking?: Asking) => ask(app, path, asking),
    /** Sends a form as the browser of somebody does who pressed its button. */
    async press(path: string, form: Record<string, string>, headers: Record<string, string> = ADA) {
      const { token } = await hidden("/force", headers);
      const answer = await ask(app, path, {
        form: { token, ...form },
        headers: { "sec-fetch-site": "same-origin", origin: "null", ...headers },
      });
      return { ...answer, location: answer.headers.get("location"), said: readable(answer.text) };
    },
    async audited() {
      const entries = await createAudit(records.redis.commands, clock).latest(100);
      return entries
        .toReversed()
        .map(({ who, room, action, detail, outcome }) => [who, room, action, detail, outcome].join(" | "));
    },
  };
}

describe("a build", () => {
  test("is forced from its form, which leads to its page", async () => {
    await using site = await openForms();
    const { status, location } = await site.press("/builds", {
      project: "hello",
      ref: "release",
      params: 'GREETING="good day" KEY=hunter2',
    });
    expect([status, location]).toEqual([303, "/builds/1"]);
    const [build] = await site.store.latest(1);
    expect(build).toMatchObject({
      project: "hello",
      ref: "release",
      params: { GREETING: "good day", KEY: "hunter2" },
      requester: { name: "ada", network: "web" },
    });
    expect(await site.audited()).toEqual(["ada | web/203.0.113.9 | build | hello release GREETING=… KEY=… | accepted"]);
  });

  test("is of the project's branch where the form names none, and one, however often the button is pressed", async () => {
    await using site = await openForms();
    const { once } = await site.hidden("/force");
    expect(once).not.toBe("");
    for (let presses = 0; presses < 2; presses += 1) {
      expect((await site.press("/builds", { project: "hello", ref: "", params: "", once })).location).toBe("/builds/1");
    }
    expect(await site.store.latest(10)).toMatchObject([{ ref: "main", params: {} }]);
  });

  test("is another one when the same form is sent again later", async () => {
    let now = clock.now();
    await using site = await openForms({ clock: { now: () => now } });
    const { once } = await site.hidden("/force");
    expect((await site.press("/builds", { project: "hello", once })).location).toBe("/builds/1");
    now = new Date(now.getTime() + 11_000);
    expect((await site.press("/builds", { project: "hello", once })).location).toBe("/builds/2");
  });

  test.each([
    [
      { project: "hello", ref: "nosuch" },
      'hello has no branch, tag or commit "nosuch". All: https://ci.example.org/projects/hello',
    ],
    [{ project: "nowhere" }, 'no project "nowhere". There are docker, docker-registry, hello.'],
    [{ project: "hello", ref: "a b" }, '"a b" cannot be the name of a branch, tag or commit.'],
    [{ project: "hello", params: "GREETING" }, "Variables are written NAME=value, with a space between two of them."],
    [{ project: "hello", params: 'A="b' }, "A quote among the variables is not closed."],
  ])("that cannot be is refused beside the form, with what was typed: %o", async (form, sentence) => {
    await using site = await openForms();
    const { status, said, text } = await site.press("/builds", form);
    expect(status).toBe(422);
    expect(said).toContain(sentence);
    expect(text).toContain('<form method="post" action="/builds"');
    if ("ref" in form) expect(text).toContain(`value="${form.ref}"`);
    expect(await site.store.latest(1)).toEqual([]);
  });

  test("is cancelled and built again", async () => {
    await using site = await openForms();
    await site.create("hello");
    expect((await site.press("/builds/1/cancel", { reason: "superseded" })).location).toBe("/builds/1");
    expect((await site.store.latest(1))[0]?.state).toMatchObject({
      kind: "cancelled",
      by: "ada",
      reason: "superseded",
    });
    expect((await site.press("/builds/1/rebuild", {})).location).toBe("/builds/2");
    const over = await site.press("/builds/1/cancel", {});
    expect([over.status, over.said]).toEqual([422, expect.stringContaining("#1 is over already: cancelled.")]);
    const nothing = await site.press("/builds/9/rebuild", {});
    expect([nothing.status, nothing.said]).toEqual([422, expect.stringContaining("there is no build #9.")]);
  });

  test("that was asked for here is not announced to a room that does not exist", async () => {
    await using site = await openForms();
    await site.press("/builds", { project: "hello" });
    const [build] = await site.store.latest(1);
    await site.end(await site.begin(build ?? expect.fail("no build")), { kind: "passed", ...ENDED });
    expect(JSON.parse((await site.ask("/api/outbox")).text)).toEqual({ rooms: [], dropped: [] });
  });
});

describe("nothing is done", () => {
  const FORM = { project: "hello" };

  // O-82, O-170
  test("for who is not logged in", async () => {
    await using site = await openForms();
    const { status, text } = await site.ask("/builds", { form: FORM });
    expect([status, readable(text)]).toEqual([
      401,
      expect.stringContaining("Only who is logged in can change something here."),
    ]);
    expect(await site.store.latest(1)).toEqual([]);
  });

  // O-82
  test("for who has not the role, whatever they send; and it is in the audit log", async () => {
    await using site = await openForms();
    await site.create("hello");
    const bob = { "x-user": "bob" };
    const { text } = await site.ask("/force", { headers: bob, from: "10.0.0.1" });
    expect(text).not.toContain("<form");
    // What a form of bob's would bring, had there been one.
    const token = formToken(await createFormKey(site.redis.commands)(), "person:bob");
    const sent = await site.ask("/builds/1/cancel", { form: { token }, headers: bob, from: "10.0.0.1" });
    expect([sent.status, readable(sent.text)]).toEqual([
      403,
      expect.stringContaining(
        "To cancel takes the role developer; the proxy says that you are bob, which is bob in people:. Ask an admin to give bob that role.",
      ),
    ]);
    expect(await site.audited()).toEqual(["bob | web/10.0.0.1 | cancel | 1: takes the role developer | refused"]);
    expect((await site.store.latest(1))[0]?.state.kind).toBe("queued");
  });

  test.each<[string, Record<string, string>, (token: string) => string]>([
    ["without the form's token", { "sec-fetch-site": "same-origin" }, () => ""],
    ["with a wrong one", {}, (token) => `${token}x`],
    ["from another site that has the token", { "sec-fetch-site": "cross-site" }, (token) => token],
    ["from another host of the same site", { "sec-fetch-site": "same-site" }, (token) => token],
    ["from another origin in an old browser", { origin: "https://evil.example.org" }, (token) => token],
    ["typed into the address bar", { "sec-fetch-site": "none" }, (token) => token],
  ])("%s", async (_how, headers, made) => {
    await using site = await openForms();
    const { token } = await site.hidden("/force");
    expect(token).toMatch(/^[\w-]{43}$/);
    const form = { ...FORM, token: made(token) };
    const { status, text } = await site.ask("/builds", { form, headers: { ...ADA, ...headers } });
    expect([status, readable(text)]).toEqual([
      403,
      expect.stringContaining("That form did not come from a page of this docker-ci."),
    ]);
    expect(await site.store.latest(1)).toEqual([]);
  });

  test.each<[string, Asking, number]>([
    ["for JSON", { json: FORM }, 415],
    ["for text that looks like a form", { body: "project=hello", headers: { "content-type": "text/plain" } }, 415],
    ["for a form that is too long", { form: { project: "x".repeat(70_000) } }, 413],
  ])("%s", async (_what, asking, status) => {
    await using site = await openForms();
    expect((await site.ask("/builds", { ...asking, headers: { ...ADA, ...asking.headers } })).status).toBe(status);
    expect(await site.store.latest(1)).toEqual([]);
  });

  test("for a form that leaves out a field", async () => {
    await using site = await openForms();
    expect((await site.press("/builds", { ref: "main" })).status).toBe(400);
  });
});

test("a form outlives a restart, and another person's token is not theirs", async () => {
  await using site = await openForms();
  const { token } = await site.hidden("/force");
  const later = createWeb(webDeps(site));
  const headers = { ...ADA, "sec-fetch-site": "same-origin" };
  expect((await ask(later, "/builds", { form: { project: "hello", token }, headers })).status).toBe(303);
  const eve = { form: { project: "hello", token }, headers: { "x-user": "eve" }, from: "10.0.0.1" };
  expect((await ask(later, "/builds", eve)).status).toBe(403);
  expect(await site.store.latest(10)).toHaveLength(1);
});
