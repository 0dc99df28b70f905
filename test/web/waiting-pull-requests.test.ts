/** Outsiders' pull requests on the pages: what they change, and the button that lets one head of one run. */
import { describe, expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import { createWeb } from "../../src/web/web.tsx";
import { violations } from "../support/axe.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { clock } from "../support/records.ts";
import { serveWeb } from "../support/served-web.ts";
import { ask, basic, readable } from "../support/web-client.ts";
import { webDeps } from "../support/web-deps.ts";
import { openTriggers, type TriggerScene } from "../triggers/scene.ts";

const WEB = `
web: { user: ada, password: secret, trusted_proxy: { addresses: 10.0.0.1, header: X-User } }
people: { bob: { web: bob } }
`;
const ADA = basic("ada", "secret");
const PATH = "/projects/docker/pulls/12/ok-to-test";
const FILES = { "b.go": "1\n", "<b>.sh": "x\n", Dockerfile: "FROM x\n" };

async function openSite() {
  const scene = await openTriggers({}, () => WEB);
  await scene.repository.commit("first", { "a.go": "1\n" });
  const { pullRequests } = scene.triggers;
  const app = createWeb(webDeps(scene.records, { pullRequests }));
  const page = async (path: string, headers: Record<string, string> = ADA) => {
    const { text } = await ask(app, path, { headers });
    const value = (name: string) => new RegExp(`ok-to-test".*?name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? "";
    return {
      html: text,
      said: readable(text),
      form: { token: value("token"), head: value("head"), once: value("once") },
    };
  };
  return {
    ...scene,
    page,
    head: await waits(scene, FILES),
    async press(form: Record<string, string>, path = PATH, headers: Record<string, string> = ADA, from?: string) {
      const answer = await ask(app, path, {
        form,
        headers: { "sec-fetch-site": "same-origin", origin: "null", ...headers },
        ...(from === undefined ? {} : { from }),
      });
      return { status: answer.status, location: answer.headers.get("location"), said: readable(answer.text) };
    },
    audited: async () =>
      (await createAudit(scene.records.redis.commands, clock).latest(10)).map(
        ({ who, room, action, detail, outcome }) => [who, room, action, detail, outcome].join(" | "),
      ),
  };
}

/** An outsider's pull request 12 gets a head on top of `main`, which waits. */
async function waits({ repository, triggers, pullOf }: TriggerScene, files: Record<string, string>): Promise<string> {
  const { git, commit } = repository;
  await git("checkout", "-q", "--detach", "main");
  const head = await commit("Fix a typo", files);
  await git("update-ref", "refs/pull/12/head", head);
  await git("checkout", "-q", "main");
  expect(await triggers.take(pullOf(12, head), `head ${head}`)).toMatchObject({ kind: "waits" });
  return head;
}

test("the project's page says what it changes, what steers CI first; the first page that it waits", async () => {
  await using site = await openSite();
  const { html, said } = await site.page("/projects/docker");
  expect(said).toContain('docker PR#12 by mallory "Fix a typo"');
  expect(said).toContain(`${site.head.slice(0, 7)} into main`);
  expect(said).toMatch(/steers CI: &lt;b&gt;\.sh , Dockerfile 1 other file b\.go/);
  expect(html).not.toContain("<b>");
  expect(said).toContain(`OK to test ${site.head.slice(0, 7)}`);
  expect((await site.page("/")).said).toContain("1 pull request waits for somebody's word");
});

test("who may not let it run sees how it is done in a chat, and no button", async () => {
  await using site = await openSite();
  const { said } = await site.page("/projects/docker", {});
  expect(said).toContain(`A developer says !ok-to-test PR#12 ${site.head.slice(0, 7)} in a chat`);
  expect(said).not.toContain("OK to test");
});

test("the button lets that head run, once, untrusted, and is in the audit log", async () => {
  await using site = await openSite();
  const { form } = await site.page("/projects/docker");
  expect(form.head).toBe(site.head);
  expect(await site.press(form)).toMatchObject({ status: 303, location: "/builds/1" });
  expect(await site.press(form)).toMatchObject({ status: 303, location: "/builds/1" });
  expect(await site.all()).toMatchObject([{ ref: "PR#12", untrusted: true, revision: { sha: site.head } }]);
  expect((await site.audited()).at(-1)).toBe(
    `ada | web/203.0.113.9 | ok-to-test | docker PR#12 ${site.head.slice(0, 7)} | accepted`,
  );
  expect((await site.page("/projects/docker")).said).not.toContain("wait for somebody's word");
  expect((await site.page("/")).said).not.toContain("pull request");
});

test("a head that was pushed after the page was made is not let run by its button", async () => {
  await using site = await openSite();
  const { form } = await site.page("/projects/docker");
  const newer = await waits(site, { ...FILES, Dockerfile: "FROM evil\n" });
  const pressed = await site.press(form);
  expect(pressed.status).toBe(422);
  expect(pressed.said).toContain(`is ${newer.slice(0, 7)} now. Look at that`);
  expect(await site.all()).toEqual([]);
  expect((await site.page("/projects/docker")).form.head).toBe(newer);
});

test("what is not this button's form, or takes a role, is refused", async () => {
  await using site = await openSite();
  const { form } = await site.page("/projects/docker");
  const proxied = { "x-user": "bob" };
  expect(await site.press(form, PATH, proxied, "10.0.0.1")).toMatchObject({ status: 403 });
  expect(await site.press({ ...form, token: "guessed" })).toMatchObject({ status: 403 });
  expect(await site.press({ ...form, head: site.head.slice(0, 7) })).toMatchObject({ status: 400 });
  expect(await site.press(form, PATH.replace("12", "99999999999"))).toMatchObject({ status: 422 });
  expect(await site.press(form, PATH.replace("12", "13"))).toMatchObject({ status: 422 });
  expect(await site.press(form, PATH.replace("docker", "nowhere"))).toMatchObject({ status: 422 });
  expect(await site.all()).toEqual([]);
});

test("where git does not answer the page is there all the same, and asks again later", async () => {
  await using site = await openSite();
  site.revisions.away("could not resolve host");
  const away = await site.page("/projects/docker");
  expect(away.said).toContain("What it changes cannot be told now");
  expect(away.form.head).toBe(site.head);
  site.revisions.away(undefined);
  site.pass(29_000);
  expect((await site.page("/projects/docker")).said).toContain("What it changes cannot be told now");
  site.pass(2_000);
  expect((await site.page("/projects/docker")).said).toContain("steers CI:");
});

describe.skipIf(!hasBrowser)("in a browser", () => {
  test.each(["light", "dark"] as const)("axe finds nothing, wide and narrow, in %s colours", async (colorScheme) => {
    await using site = await openSite();
    await using web = await serveWeb(site.records, { pullRequests: site.triggers.pullRequests });
    await using browser = await openBrowser();
    for (const width of [1280, 390]) {
      const options = { colorScheme, viewport: { width, height: 900 }, extraHTTPHeaders: ADA };
      const page = await browser.open(`${web.url}/projects/docker`, options);
      expect(await page.locator(".pulls button").textContent()).toBe(`OK to test ${site.head.slice(0, 7)}`);
      if (process.env.SHOTS !== undefined)
        await page.screenshot({ path: `${process.env.SHOTS}/pulls-${colorScheme}-${width}.png`, fullPage: true });
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      await page.goto(`${web.url}/`);
      if (process.env.SHOTS !== undefined)
        await page.screenshot({ path: `${process.env.SHOTS}/home-${colorScheme}-${width}.png`, fullPage: true });
      expect(await violations(page)).toEqual([]);
    }
  });
});
