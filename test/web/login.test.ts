/** Logging in to the page: who somebody is to it, who is turned away, and what a private one shows. */
import { describe, expect, test } from "vitest";
import type { WebDeps } from "../../src/web/deps.ts";
import { createWeb } from "../../src/web/web.tsx";
import { CONFIG, configOf, NOW, openRecords } from "../support/records.ts";
import { type Asking, ask, basic, bearer, readable } from "../support/web-client.ts";
import { webDeps } from "../support/web-deps.ts";

const PASSWORD = "correct horse: battery";
const TOKEN = "a-token-of-some-length";
const WEB = `
web:
  user: ada
  password: "${PASSWORD}"
  tokens: { deploy: ${TOKEN} }
  trusted_proxy: { addresses: [10.0.0.0/8, "fd00::/8"], header: X-Forwarded-User }
people:
  eve: { web: eve@example.org, roles: developer }
  bob: { web: bob }
`;

async function openSite(web = WEB, changes: Partial<WebDeps> = {}) {
  const records = await openRecords(configOf(`${CONFIG}${web}`));
  const app = createWeb(webDeps(records, changes));
  return {
    ...records,
    ask: (path: string, asking?: Asking) => ask(app, path, asking),
    /** The name in the bar, and whether there is a form to build with. */
    async seenAs(asking: Asking) {
      const { status, text } = await ask(app, "/force", asking);
      if (status !== 200) return status;
      return [/<span class="person">(.*?)<\/span>/.exec(text)?.[1], text.includes('<form method="post"')];
    },
  };
}

describe("who somebody is", () => {
  test.each<[string, Asking, unknown]>([
    ["nobody without a login", {}, [undefined, false]],
    ["the web user, who may build", { headers: basic("ada", PASSWORD) }, ["ada", true]],
    ["a program with a token, which may too", { headers: bearer(TOKEN) }, ["deploy", true]],
    [
      "whom the proxy names, as people: has them",
      { headers: { "x-forwarded-user": "eve@example.org" }, from: "10.1.2.3" },
      ["eve", true],
    ],
    [
      "whom the proxy names over IPv6, or over an IPv6 socket",
      { headers: { "x-forwarded-user": "eve@example.org" }, from: "::ffff:10.1.2.3" },
      ["eve", true],
    ],
    ["somebody in people: without a role", { headers: { "x-forwarded-user": "bob" }, from: "fd00::1" }, ["bob", false]],
    [
      "somebody whom only the proxy knows",
      { headers: { "x-forwarded-user": "dan" }, from: "10.1.2.3" },
      ["dan", false],
    ],
    ["nobody, when the header comes from elsewhere", { headers: { "x-forwarded-user": "bob" } }, [undefined, false]],
    [
      "nobody, when the proxy names somebody with a space",
      { headers: { "x-forwarded-user": "eve bob" }, from: "10.1.2.3" },
      [undefined, false],
    ],
    ["nobody with a wrong password", { headers: basic("ada", "wrong") }, 401],
    ["nobody with another name", { headers: basic("eve", PASSWORD) }, 401],
    ["nobody with the beginning of it", { headers: basic("ada", PASSWORD.slice(0, -1)) }, 401],
    ["nobody without one", { headers: basic("ada", "") }, 401],
    ["nobody with a token for a password", { headers: basic("deploy", TOKEN) }, 401],
    ["nobody with a wrong token", { headers: bearer("another-token-of-some-length") }, 401],
    ["nobody with what cannot be read", { headers: { authorization: "Basic" } }, 401],
  ])("%s", async (_who, asking, expected) => {
    await using site = await openSite();
    expect(await site.seenAs(asking)).toEqual(expected);
  });

  // O-170: without a login the page only shows
  test("is not asked where nobody can log in: a proxy's own password is none of ours", async () => {
    await using site = await openSite("");
    expect(await site.seenAs({ headers: basic("ada", PASSWORD) })).toEqual([undefined, false]);
    expect((await site.ask("/login")).status).toBe(404);
    expect((await site.ask("/")).text).not.toContain("Log in");
  });

  // O-82
  test("the web user is whom people: says, with that person's roles (O-11)", async () => {
    await using site = await openSite(
      "web: { user: ci, password: x }\npeople: { bob: { web: ci, roles: approver } }\n",
    );
    expect(await site.seenAs({ headers: basic("ci", "x") })).toEqual(["bob", false]);
    expect(readable((await site.ask("/force", { headers: basic("ci", "x") })).text)).toContain(
      "Building takes the role developer; you are logged in as ci, which is bob in people:. Ask an admin to give bob that role.",
    );
  });
});

describe("/login", () => {
  test("asks for the name and password, and leads back", async () => {
    await using site = await openSite();
    expect((await site.ask("/projects/hello")).text).toContain('href="/login?to=%2Fprojects%2Fhello"');
    const asked = await site.ask("/login?to=/projects/hello");
    expect([asked.status, asked.headers.get("www-authenticate")]).toEqual([
      401,
      'Basic realm="docker-ci", charset="UTF-8", Bearer realm="docker-ci"',
    ]);
    const back = await site.ask("/login?to=/projects/hello", { headers: basic("ada", PASSWORD) });
    expect([back.status, back.headers.get("location")]).toEqual([303, "/projects/hello"]);
  });

  test.each(["//evil.example.org", "/\\evil.example.org", "https://evil.example.org", "/a\r\nb: c"])(
    "leads nowhere else: %s",
    async (to) => {
      await using site = await openSite();
      const path = `/login?to=${encodeURIComponent(to)}`;
      expect((await site.ask(path, { headers: basic("ada", PASSWORD) })).headers.get("location")).toBe("/");
    },
  );

  test("is said to nobody's cache, and the page of who is logged in is their own", async () => {
    await using site = await openSite();
    expect((await site.ask("/", { headers: basic("ada", PASSWORD) })).headers.get("cache-control")).toBe(
      "private, no-cache",
    );
    expect((await site.ask("/", { headers: basic("ada", "x") })).headers.get("cache-control")).toBe("no-store");
  });
});

describe("wrong passwords", () => {
  test("are tried five times in a minute from an address, and then the right one does not help either", async () => {
    let now = NOW;
    await using site = await openSite(WEB, { clock: { now: () => now } });
    const tries = async (count: number, headers: Record<string, string>, from?: string) => {
      const statuses: number[] = [];
      for (let index = 0; index < count; index += 1)
        statuses.push((await site.ask("/", { headers, ...(from === undefined ? {} : { from }) })).status);
      return statuses;
    };
    expect(await tries(6, basic("ada", "x"), "127.0.0.1")).toEqual([401, 401, 401, 401, 401, 429]);
    const right = await site.ask("/api/queue", { headers: basic("ada", PASSWORD), from: "127.0.0.1" });
    expect([right.status, right.headers.get("retry-after"), JSON.parse(right.text)]).toEqual([
      429,
      "60",
      {
        error: {
          code: "too_many_requests",
          message: "Too many wrong passwords came from 127.0.0.1. Try again in 60 s.",
        },
      },
    ]);
    // Others, and who does not log in, are not locked out by it.
    expect(await tries(1, basic("ada", PASSWORD), "203.0.113.77")).toEqual([200]);
    expect(await tries(1, {}, "127.0.0.1")).toEqual([200]);
    now = new Date(NOW.getTime() + 60_001);
    expect(await tries(1, basic("ada", PASSWORD), "127.0.0.1")).toEqual([200]);
    expect(site.entries(40)).toContainEqual(expect.objectContaining({ address: "127.0.0.1" }));
  });

  test("count for the client behind the proxy, whatever it says of itself, and for a whole IPv6 network", async () => {
    await using site = await openSite();
    const behind = (client: string, password = "x") =>
      site.ask("/", { from: "10.0.0.1", headers: { ...basic("ada", password), "x-forwarded-for": client } });
    for (let index = 0; index < 5; index += 1) await behind(`198.51.100.${index}, 203.0.113.5, 10.0.0.2`);
    expect((await behind("203.0.113.5", PASSWORD)).status).toBe(429);
    expect((await behind("203.0.113.6", PASSWORD)).status).toBe(200);
    for (let index = 0; index < 5; index += 1) await behind(`2001:db8:0:1::${index}`);
    expect((await behind("2001:db8::1:ffff:0:0:1", PASSWORD)).status).toBe(429);
    expect((await behind("2001:db8:0:2::1", PASSWORD)).status).toBe(200);
  });
});

describe("a private page", () => {
  const PRIVATE = WEB.replace("web:", "web:\n  private: true");

  test.each([
    "/",
    "/builds/1",
    "/builds/1/log",
    "/projects/hello",
    "/force",
    "/nowhere",
    "/badge/hello.svg",
    "/cc.xml",
  ])("does not show %s", async (path) => {
    await using site = await openSite(PRIVATE);
    await site.create("hello");
    const { status, text } = await site.ask(path);
    expect([status, text]).toEqual([401, "This docker-ci shows itself only to who is logged in.\n"]);
    expect((await site.ask(path, { headers: basic("ada", PASSWORD) })).status).not.toBe(401);
  });

  test.each([
    "/artifacts/1/x",
    "/coverage/hello/1/",
    "/assets/style.css",
    "/api/builds",
    "/metrics",
    "/feed.xml",
    "//healthz",
  ])("nor %s", async (path) => {
    await using site = await openSite(PRIVATE);
    expect((await site.ask(path)).status).toBe(401);
  });

  test("says whether it is well to anybody, and lets signed hooks in", async () => {
    await using site = await openSite(PRIVATE);
    expect((await site.ask("/healthz")).status).toBe(200);
    expect((await site.ask("/healthz", { headers: basic("ada", "x") })).status).toBe(200);
    expect((await site.ask("/change_hook/github", { form: {} })).status).not.toBe(401);
  });

  test("says so over the API in the API's words", async () => {
    await using site = await openSite(PRIVATE);
    expect(JSON.parse((await site.ask("/api/nowhere")).text)).toEqual({
      error: { code: "unauthorized", message: "This docker-ci shows itself only to who is logged in." },
    });
  });
});
