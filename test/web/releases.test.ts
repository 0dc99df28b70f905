/** Releases on the pages and over the API: looked at by everybody, decided on by those who may. */
import { mkdir, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import { keptLog } from "../../src/builds/log-files.ts";
import type { Identity } from "../../src/chat/people.ts";
import type { Role } from "../../src/config.ts";
import { smokeLogs } from "../../src/releases/publish/smoke-logs.ts";
import { type Release, ReleaseNumber, type ReleaseState } from "../../src/releases/release.ts";
import { BuildResults } from "../../src/results/summary.ts";
import { createWeb } from "../../src/web/web.tsx";
import { violations } from "../support/axe.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { ADA, ago, clock, configOf, openRecords, revisionOf, revisions } from "../support/records.ts";
import { FINGERPRINT, openReleases, type ReleaseWorld } from "../support/releases.ts";
import { serveWeb } from "../support/served-web.ts";
import { openTalk } from "../support/talk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ask, basic, readable } from "../support/web-client.ts";
import { webDeps } from "../support/web-deps.ts";

const CONFIG = configOf(`
url: https://ci.example.org
web: { user: root, password: secret, trusted_proxy: { addresses: 10.0.0.1, header: X-User } }
people:
  ada: { web: ada, roles: [developer, approver] }
  bob: { web: bob, roles: approver }
  dan: { web: dan, roles: approver }
  eve: { web: eve, roles: developer }
projects: { docker: { repo: /repositories/docker } }
releases: { docker: { bucket: get.docker.io, gpg_key: ci@example.org, approvals: 2 } }
`);
const R1 = ReleaseNumber.parse(1);
const as = (name: string) => ({ headers: { "x-user": name }, from: "10.0.0.1" });
const PUBLISHED: ReleaseState = {
  kind: "published",
  startedAt: ago(600),
  finishedAt: ago(60),
  files: 2,
  bytes: 3_000,
  sha256: "a".repeat(64),
  warnings: ["the tag v0.9.0 could not be set: it is there already"],
};

async function openSite(world: ReleaseWorld = { key: FINGERPRINT, revisions }) {
  const records = await openRecords(CONFIG);
  const { releases, store } = openReleases(records, world);
  const app = createWeb(webDeps(records, { releases }));
  const page = async (path: string, who = "") => {
    const { text, status } = await ask(app, path, who === "" ? {} : as(who));
    const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? "";
    const form = { token: value("token"), once: value("once"), digest: value("digest") };
    return { status, html: text, said: readable(text), form };
  };
  return {
    ...records,
    releases,
    releaseStore: store,
    world,
    page,
    get: async (path: string): Promise<unknown> => JSON.parse((await ask(app, path)).text),
    async press(path: string, who: string, form: Record<string, string> = {}) {
      const ofRelease = await page("/releases/R1", who);
      // Who may not decide finds no form there; with another one's token nobody can say that it was no page of ours.
      const shown = ofRelease.form.token === "" ? await page("/force", who) : ofRelease;
      const { headers, from } = as(who);
      const answer = await ask(app, path, {
        form: { ...shown.form, ...form },
        headers: { "sec-fetch-site": "same-origin", origin: "null", ...headers },
        from,
      });
      const { status, headers: answered, text: html } = answer;
      return { status, location: answered.get("location"), html, said: readable(html) };
    },
    async request(version = "0.9.0"): Promise<Release> {
      const wish = { project: "docker", version, kind: "release", force: false } as const;
      return releases.request({ ...wish, requester: ADA, identity: person("ada", "developer", "approver") });
    },
    async audited() {
      const entries = await createAudit(records.redis.commands, clock).latest(50);
      return entries.map(({ who, room, action, detail, outcome }) => [who, room, action, detail, outcome].join(" | "));
    },
  };
}

function person(name: string, ...roles: Role[]): Identity {
  return { name, key: `person:${name}`, roles: new Set(roles), because: `you are ${name}`, advice: "" };
}

describe("the page of releases", () => {
  /** Presses the button of its form. */
  async function ask(site: Awaited<ReturnType<typeof openSite>>, who: string, form: Record<string, string>) {
    const shown = (await site.page("/releases", who)).form;
    return site.press("/releases", who, { once: shown.once, token: shown.token, ...form });
  }

  test("has a form that asks for one, for those who may, with the checks of the command", async () => {
    await using site = await openSite();
    for (const who of ["", "bob"]) expect((await site.page("/releases", who)).html).not.toContain('action="/releases"');
    expect((await site.page("/releases", "eve")).said).toContain("Ask for a release Version of docker");
    const wish = { project: "docker", version: "0.9.0", ref: "release" };
    expect(await ask(site, "eve", wish)).toMatchObject({ status: 303, location: "/releases/R1" });
    const { plan, requester, state, askedBy } = await site.releases.get(R1);
    expect([plan.version, plan.ref, plan.forced, plan.approvals, state.kind, requester.network, askedBy]).toEqual([
      "0.9.0",
      "release",
      false,
      2,
      "waiting",
      "web",
      "person:eve",
    ]);
    expect((await site.audited())[1]).toBe("eve | web/10.0.0.1 | release | docker 0.9.0 release | accepted");
    const busy = await ask(site, "eve", { project: "docker", version: "<0.9.1>", no_latest: "yes" });
    expect(busy.status).toBe(422);
    expect(busy.said).toContain("R1 docker 0.9.0 waits for approval, and a project has one at a time");
    // What was typed is there to be mended.
    expect(busy.html).toContain('value="&lt;0.9.1&gt;"');
    expect(busy.html).toMatch(/name="no_latest" value="yes" checked/);
    expect(busy.html).not.toMatch(/name="force" value="yes" checked/);
  });

  test("takes one form once, and the same form with another version as another wish", async () => {
    await using site = await openSite();
    const { once } = (await site.page("/releases", "ada")).form;
    const wish = { project: "docker", version: "0.9.0", once };
    for (let time = 0; time < 2; time += 1)
      expect(await ask(site, "ada", wish)).toMatchObject({ status: 303, location: "/releases/R1" });
    expect((await ask(site, "ada", { ...wish, version: "0.9.1" })).status).toBe(422);
    expect(await site.releases.latest(9)).toHaveLength(1);
  });

  test("refuses who may not, what no page of it sent, and what is no version or revision", async () => {
    await using site = await openSite();
    const wish = { project: "docker", version: "0.9.0" };
    expect((await ask(site, "eve", { ...wish, token: "x" })).status).toBe(403);
    expect((await ask(site, "eve", { ...wish, force: "perhaps" })).status).toBe(400);
    expect((await ask(site, "eve", { ...wish, ref: "a..b" })).said).toContain('"a..b" cannot be the name of a branch');
    expect((await ask(site, "eve", { ...wish, ref: "nosuch" })).said).toContain('no branch, tag or commit "nosuch"');
    expect((await ask(site, "eve", { ...wish, version: "new" })).status).toBe(422);
    expect((await ask(site, "eve", { ...wish, project: "dokcer" })).said).toContain("Did you mean docker?");
    expect(await site.releases.latest(9)).toEqual([]);
    await site.request();
    // The form of another page is bob's own, and this is nothing that he may do.
    const { token, once } = (await site.page("/releases/R1", "bob")).form;
    const refused = await site.press("/releases", "bob", { ...wish, token, once });
    expect([refused.status, refused.said]).toEqual([
      403,
      expect.stringContaining("To release takes the role developer"),
    ]);
  });
});

test("what waits for approvals is on the first page and in !status, until it is over", async () => {
  await using site = await openSite();
  const talk = openTalk(site, { releases: site.releases });
  await site.request();
  expect((await site.page("/")).said).toContain("○ release: R1 docker 0.9.0 waits for 2 approvals");
  expect(await talk.ask("!status")).toEqual([
    "nothing runs or waits · ○ R1 docker 0.9.0 waits for 2 approvals, !approve R1 · broken: none · https://ci.example.org",
  ]);
  await site.press("/releases/R1/approve", "bob");
  expect((await site.page("/")).html).toContain(
    '<a href="/releases/R1">R1 docker 0.9.0</a> waits for 1 more of 2 approvals',
  );
  expect(await talk.ask("!status docker")).toEqual([
    "docker has not been built yet · !build docker",
    "○ R1 docker 0.9.0 waits for 1 more of 2 approvals, !approve R1 · https://ci.example.org/releases/R1",
  ]);
  await site.press("/releases/R1/reject", "bob");
  expect((await site.page("/")).said).not.toContain("release:");
  expect((await talk.ask("!status"))[0]).not.toContain("R1");
});

test("what had its time waits no more, though nobody has looked at it since", async () => {
  await using records = await openRecords(CONFIG);
  let now = clock.now();
  const { releases } = openReleases(records, undefined, { now: () => now });
  const wish = { project: "docker", version: "0.9.0", kind: "release", force: false } as const;
  await releases.request({ ...wish, requester: ADA, identity: person("ada", "developer") });
  expect(await releases.waiting()).toHaveLength(1);
  now = new Date(now.getTime() + 25 * 3_600_000);
  expect(await releases.waiting()).toEqual([]);
});

describe("a release's page", () => {
  test("has all to decide by: revision, build, changes, target, key, who may approve, until when", async () => {
    await using site = await openSite({
      key: FINGERPRINT,
      latest: undefined,
      revisions: { ...revisions, resolve: async (_repo, ref) => revisionOf("0", { ref, title: "<b>bold</b>" }) },
    });
    await site.end(await site.begin(await site.create("docker")), {
      kind: "passed",
      startedAt: ago(9),
      finishedAt: ago(5),
    });
    await site.request();
    const { html, said } = await site.page("/releases/R1");
    expect(html).toContain("<title>○ R1 docker 0.9.0</title>");
    expect(said).toContain("R1 docker 0.9.0 ○ waits for approval");
    expect(said).toMatch(
      /Revision main 0000000 &lt;b&gt;bold&lt;\/b&gt; by bob Build #1 passed Since the first release/,
    );
    expect(said).toMatch(/Goes to s3:\/\/get\.docker\.io\/docker\/0\.9\.0\/ Signed by 5E3C45D7/);
    expect(said).toContain("Asked for by ada on fake, 0s ago Expires 2026-03-02 12:00 UTC , in 1d");
    expect(said).toContain("Approvals: 0 of 2 Could approve: bob, dan");
    expect(said).toContain("An approver says !approve R1 or !reject R1 &lt;reason&gt; in a chat");
    expect(html).not.toContain("<b>");
    expect((await site.page("/releases/r1")).status).toBe(200);
    expect((await site.page("/releases/R7")).said).toContain("There is no R7. The newest is R1.");
    expect((await site.page("/releases/R7")).status).toBe(404);
    expect((await site.page("/releases")).said).toMatch(
      /R1 docker 0\.9\.0 ○ waits for approval 0 of 2 main 0000000 by ada, 0s ago/,
    );
  });

  test("is approved with its button by those who may, each once, and not by who asked", async () => {
    await using site = await openSite();
    await site.request();
    expect((await site.page("/releases/R1", "eve")).html).not.toContain("/approve");
    expect((await site.page("/releases/R1", "eve")).said).toContain(
      "Approving takes the role approver. Ask an admin to give eve that role.",
    );
    expect((await site.page("/releases/R1", "ada")).html).not.toContain("/approve");
    expect((await site.page("/releases/R1", "ada")).said).toContain("Withdraw");
    expect(await site.press("/releases/R1/approve", "bob")).toMatchObject({ status: 303, location: "/releases/R1" });
    expect(
      await site.press("/releases/R1/approve", "bob", { digest: (await site.releases.get(R1)).digest }),
    ).toMatchObject({
      status: 422,
      said: expect.stringContaining("R1 has your approval already (on web); each person counts once."),
    });
    const refused = await site.press("/releases/R1/approve", "eve", await digestOf(site.releases.get(R1)));
    expect(refused.status).toBe(403);
    expect(refused.said).toContain("To approve takes the role approver;");
    const own = await site.press("/releases/R1/approve", "ada", await digestOf(site.releases.get(R1)));
    expect(own).toMatchObject({
      status: 422,
      said: expect.stringContaining("you asked for R1, so others must approve it."),
    });
    expect((await site.page("/releases/R1")).said).toContain(
      "Approvals: 1 of 2 ✔ bob on web, 0s ago Could approve: dan",
    );
    expect(await site.press("/releases/R1/approve", "dan")).toMatchObject({ status: 303 });
    const { said } = await site.page("/releases/R1");
    expect(said).toContain("● is being published, step check");
    expect(said).toMatch(/check ● running .* build ○ to come/);
    expect((await site.audited()).filter((entry) => entry.includes("approve |"))).toEqual([
      "dan | web/10.0.0.1 | approve | R1 | accepted",
      "ada | web/10.0.0.1 | approve | R1: you asked for R1, so others must approve it. | refused",
      "ada | web/10.0.0.1 | approve | R1 | accepted",
      "eve | web/10.0.0.1 | approve | R1: takes the role approver | refused",
      "bob | web/10.0.0.1 | approve | R1: R1 has your approval already (on web); each person counts once. | refused",
      "bob | web/10.0.0.1 | approve | R1 | accepted",
      "bob | web/10.0.0.1 | approve | R1 | accepted",
    ]);
  });

  test("a form is for the plan that was looked at, and for nobody else's page", async () => {
    await using site = await openSite();
    await site.request();
    const stale = await site.press("/releases/R1/approve", "bob", { digest: "0".repeat(64) });
    expect(stale).toMatchObject({ status: 422, said: expect.stringContaining("R1 is not what that form showed") });
    expect(await site.press("/releases/R1/approve", "bob", { token: "x" })).toMatchObject({ status: 403 });
    expect(await site.press("/releases/R1/reject", "nobody")).toMatchObject({ status: 403 });
    expect((await site.releases.get(R1)).votes).toEqual([]);
  });

  test("is rejected with a reason, which stands there and is audited", async () => {
    await using site = await openSite();
    await site.request();
    expect(await site.press("/releases/R1/reject", "bob", { reason: "the changelog is missing" })).toMatchObject({
      status: 303,
    });
    expect((await site.page("/releases/R1")).said).toContain("■ rejected by bob: the changelog is missing");
    expect((await site.audited())[1]).toBe("bob | web/10.0.0.1 | reject | R1 the changelog is missing | accepted");
    expect((await site.audited())[0]).toContain("R1 docker 0.9.0 (0000000) rejected: the changelog is missing");
  });

  test("that was published says how, and where its files are", async () => {
    await using site = await openSite();
    const results = BuildResults.parse({ artifacts: [{ path: "dist/a b.tgz", bytes: 2_048 }] });
    const ended = { kind: "passed", startedAt: ago(9), finishedAt: ago(5) } as const;
    const begun = await site.begin(await site.create("docker"));
    await site.store.transition(begun, ended, { results });
    const release = await site.request();
    await site.releaseStore.change(release, { state: { ...PUBLISHED, build: begun.number } });
    const { said, html } = await site.page("/releases/R1");
    expect(said).toContain("✔ published 2 files, 2.9 KiB, at s3://get.docker.io/docker/0.9.0/");
    expect(said).toContain("▲ besides: the tag v0.9.0 could not be set: it is there already");
    expect(html).toContain('<a href="/artifacts/1/dist/a%20b.tgz">dist/a b.tgz</a>');
    expect(said).toMatch(/latest ✔ done .* announce ✔ done/);
  });
});

test("/api/releases gives them in pages, and one by its number", async () => {
  await using site = await openSite();
  const release = await site.request("0.8.0");
  await site.releaseStore.change(release, { state: PUBLISHED });
  await site.request("0.9.0");
  expect(await site.get("/api/releases?limit=1&project=docker")).toMatchObject({
    releases: [
      {
        number: 2,
        name: "R2",
        url: "https://ci.example.org/releases/R2",
        state: "waiting",
        kind: "release",
        version: "0.9.0",
        sha: revisionOf("0").sha,
        approvals: { needed: 2, given: [], mayApprove: ["bob", "dan"] },
        requestedBy: { name: "ada", network: "fake" },
      },
    ],
    next: 2,
  });
  expect(await site.get("/api/releases?before=2")).toMatchObject({ releases: [{ name: "R1", files: 2 }], next: null });
  expect(await site.get("/api/releases/1")).toMatchObject({ state: "published", sha256: "a".repeat(64) });
  expect(await site.get("/api/releases/9")).toMatchObject({ error: { message: "There is no R9. The newest is R2." } });
});

test.skipIf(!hasBrowser)(
  "both pages can be used by all, wide and narrow, light and dark, and the buttons work",
  async () => {
    const commits = Array.from({ length: 12 }, (_, at) => ({
      sha: revisionOf(String(at % 10)).sha,
      author: "bob",
      title: "storage: retry on 503 and close the body of every answer that nobody reads",
      files: [],
    }));
    await using site = await openSite({
      key: FINGERPRINT,
      latest: undefined,
      revisions: { ...revisions, between: async () => commits },
    });
    const results = BuildResults.parse({
      tests: { total: 1204, failed: 0, skipped: 0, durationMs: 1, failing: [], flaky: [], slowest: [] },
      artifacts: [{ path: "dist/docker-0.9.0-linux-amd64.tar.gz", bytes: 9_000_000 }],
    });
    const begun = await site.begin(await site.create("docker"));
    await site.store.transition(begun, { kind: "passed", startedAt: ago(9), finishedAt: ago(5) }, { results });
    const first = await site.request("0.8.0");
    await site.releaseStore.change(first, { state: PUBLISHED });
    Object.assign(site.world, { latest: "0.8.0" });
    Object.assign(site.world, {
      revisions: { ...site.world.revisions, resolve: async () => revisionOf("5", { ref: first.plan.ref }) },
    });
    await site.create("docker", { revision: revisionOf("5") });
    await site.request("0.9.0");
    const word = { identity: person("bob", "approver"), room: ADA.room, asked: "m1" };
    await site.releases.approve(ReleaseNumber.parse(2), word);
    const loopback = configOf(`
web: { user: dan, password: secret }
people: { ada: { web: ada, roles: approver }, bob: { web: bob, roles: approver }, dan: { web: dan, roles: approver } }
projects: { docker: { repo: /repositories/docker } }
releases: { docker: { bucket: get.docker.io, gpg_key: ci@example.org, approvals: 2 } }
`);
    await using web = await serveWeb(site, { releases: site.releases, config: loopback });
    await using browser = await openBrowser();
    const found: string[] = [];
    for (const [width, colorScheme] of [
      [1280, "light"],
      [390, "dark"],
    ] as const) {
      const look = { viewport: { width, height: 900 }, colorScheme, extraHTTPHeaders: basic("dan", "secret") };
      for (const path of ["/releases", "/releases/R2", "/releases/R1"]) {
        const page = await browser.open(`${web.url}${path}`, look);
        found.push(...(await violations(page)).map((each) => `${path} ${width} ${colorScheme}: ${each}`));
        const wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if (wide !== 0) found.push(`${path} ${width}: ${wide} pixels too wide`);
        await page.context().close();
      }
    }
    expect(found).toEqual([]);
    const page = await browser.open(`${web.url}/releases/R2`, { extraHTTPHeaders: basic("dan", "secret") });
    await page.getByRole("button", { name: "Approve 0.9.0" }).click();
    await page.getByText("is being published, step check").waitFor();
    expect((await site.releases.get(ReleaseNumber.parse(2))).votes.map(({ by }) => by)).toEqual(["bob", "dan"]);
  },
);

async function digestOf(release: Promise<Release>): Promise<{ digest: string; once: string }> {
  return { digest: (await release).digest, once: crypto.randomUUID() };
}

// O-163
test("what was printed by a smoke test that failed stands on the release's page, with its log behind it", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords({ ...CONFIG, dataDir: folder.path });
  const { releases, store } = openReleases(records);
  const app = createWeb(webDeps(records, { releases }));
  const wish = { project: "docker", version: "0.9.0", kind: "release", force: false } as const;
  const asked = await releases.request({ ...wish, requester: ADA, identity: person("ada", "developer") });
  const state: ReleaseState = {
    ...({ kind: "failed", step: "smoke-test" } as const),
    ...{ finishedAt: ago(0), reason: "step version, exit 3", lines: ["<b>cannot start</b>"] },
  };
  const planned = { ...asked, plan: { ...asked.plan, smokeTest: ["version"] } };
  await store.change(planned, { state });
  const { text } = await ask(app, "/releases/R1");
  expect(readable(text)).toContain("step smoke-test: step version, exit 3 &lt;b&gt;cannot start&lt;/b&gt;");
  expect(text).toContain('<a href="/releases/R1/log">log</a>');
  expect((await ask(app, "/releases/R1/log")).status).toBe(404);
  await mkdir(smokeLogs(records.config), { recursive: true });
  await writeFile(keptLog(smokeLogs(records.config), 1), gzipSync("cannot start\n"));
  const log = await ask(app, "/releases/R1/log");
  expect([log.status, log.headers.get("content-type"), log.text]).toEqual([
    200,
    "text/plain; charset=utf-8",
    "cannot start\n",
  ]);
});
