/** The first page, a project's and the small ones in Chromium: live where there are scripts, whole where there are none, usable by all. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GitRef } from "../../src/names.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { BuildResults } from "../../src/results/summary.ts";
import { violations } from "../support/axe.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { ADA, ago, configOf, openRecords, type Records, revisionOf } from "../support/records.ts";
import { serveWeb } from "../support/served-web.ts";

const PAGES = ["/", "/projects/hello", "/builds", "/workers", "/audit", "/schedule", "/releases", "/outbox"];
/** They are what `npm run build` makes. */
const isCompiled = existsSync(join(PACKAGE_FOLDER, "dist", "src", "web", "client", "trends.js"));

async function withHistory(): Promise<Records> {
  const records = await openRecords();
  const states = ["passed", "failed", "passed", "errored", "passed"] as const;
  for (const [index, kind] of states.entries()) {
    const times = { startedAt: ago(400 - index), finishedAt: ago(300 - 20 * index) };
    const results = BuildResults.parse({
      tests: { total: 100, failed: 0, skipped: 0, durationMs: 1, failing: [], flaky: [], slowest: [] },
      coverage: { totals: { unit: "lines", covered: 600 + index, total: 1_000 }, change: { kind: "missing" } },
    });
    const begun = await records.begin(await records.create("hello"), 400);
    const state =
      kind === "passed"
        ? { kind, ...times }
        : kind === "failed"
          ? { kind, ...times, reason: "step tests, exit 1" }
          : { kind, ...times, reason: "no such image", tries: 2 };
    await records.store.transition(begun, state, { results });
  }
  await records.begin(await records.create("hello"), 30);
  await records.create("docker");
  return records;
}

describe.skipIf(!hasBrowser)("in a browser", () => {
  test.skipIf(!isCompiled)("the first page shows what changes without being loaded anew", async () => {
    await using records = await withHistory();
    await using web = await serveWeb(records);
    await using browser = await openBrowser();
    const page = await browser.open(web.url);
    await page.locator("text=● 1 running").first().waitFor();
    await page.evaluate("window.isTheSame = true");
    await page.locator('a[href="/projects/docker-registry"]').first().focus();

    const [running] = await records.builds.running();
    if (running === undefined) throw new Error("nothing runs");
    await records.end(running, {
      kind: "failed",
      startedAt: ago(30),
      finishedAt: ago(0),
      reason: "step tests, exit 1",
    });

    await page.locator("text=1 of 3 broken:").waitFor({ timeout: 10_000 });
    expect(await page.title()).toBe("✘ hello broken · docker-ci");
    expect(await page.evaluate("window.isTheSame")).toBe(true);
    // Who goes through the page with the keyboard stays where they were.
    expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe("/projects/docker-registry");
  });

  test.skipIf(!isCompiled)("a project's trends are charts, each with a point that leads to its build", async () => {
    await using records = await withHistory();
    await using web = await serveWeb(records);
    await using browser = await openBrowser();
    const page = await browser.open(`${web.url}/projects/hello`);
    await page.locator("figure canvas").nth(2).waitFor();
    expect(await page.locator("figure .sparkline").count()).toBe(0);
    // Only the way there is looked at here.
    await page.route("**/builds/3", (route) => route.fulfill({ body: "build 3" }));
    const over = page.locator("figure[data-column=coverage] .u-over");
    await over.hover();
    const legend = await page.locator("figure[data-column=coverage] .u-legend").textContent();
    expect(legend).toMatch(/Build:?\s*#3\s*Coverage:?\s*60\.2%/);
    await over.click();
    await page.waitForURL("**/builds/3");
  });

  test("without scripts the same facts are there, and the page looks again by itself", async () => {
    await using records = await withHistory();
    await using web = await serveWeb(records);
    await using browser = await openBrowser();
    const page = await browser.open(`${web.url}/projects/hello`, { javaScriptEnabled: false });
    expect(await page.locator("figure .sparkline").count()).toBe(3);
    await page.locator("summary").click();
    expect(await page.locator("#trend-numbers tbody tr").first().textContent()).toMatch(
      /#5\s*2m56s\s*60\.4%\s*100\.0%/,
    );
    expect(await page.locator("noscript meta[http-equiv=refresh], meta[http-equiv=refresh]").count()).toBe(1);
  });

  test("long names, as people and tickets have them, neither widen a page nor are cut off", async () => {
    const long = "a-project-with-the-longest-name-that-is-allowed-which-is-64-long";
    const config = configOf(`
web: { trusted_proxy: { addresses: 127.0.0.1, header: X-User } }
people: { ada: { web: ada, roles: [developer] } }
projects: { hello: { repo: /r/hello }, ${long}: { repo: /r/long } }
`);
    await using records = await openRecords(config);
    const ref = GitRef.parse("feature/a-branch-named-after-a-ticket-in-whole-words-JIRA-12345");
    const revision = revisionOf("1", { ref, title: "x".repeat(200), author: "wolfeschlegelsteinhausenbergerdorff" });
    for (const project of [long, "hello"]) {
      await records.begin(
        await records.create(project, { ref, revision, requester: { ...ADA, name: "n".repeat(60) } }),
      );
    }
    await using web = await serveWeb(records);
    await using browser = await openBrowser();
    const page = await browser.open(web.url, {
      viewport: { width: 390, height: 900 },
      extraHTTPHeaders: { "X-User": "ada" },
    });
    const found: string[] = [];
    for (const path of ["/", "/builds", `/projects/${long}`, "/projects/hello", "/builds/1", "/schedule", "/force"]) {
      await page.goto(`${web.url}${path}`);
      const wide = await page.evaluate(
        `[document.documentElement, ...document.querySelectorAll(".scroll")].filter((each) => each.scrollWidth > each.clientWidth).length`,
      );
      if (wide !== 0) found.push(path);
    }
    expect(found).toEqual([]);
  });

  test.each(["light", "dark"] as const)("axe finds nothing, wide and narrow, in %s colours", async (colorScheme) => {
    await using records = await withHistory();
    await using web = await serveWeb(records);
    await using browser = await openBrowser();
    const found: string[] = [];
    for (const width of [1280, 390]) {
      const page = await browser.open(`${web.url}/`, { colorScheme, viewport: { width, height: 900 } });
      for (const path of PAGES) {
        await page.goto(`${web.url}${path}`);
        found.push(...(await violations(page)).map((violation) => `${path} at ${width}: ${violation}`));
        const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        if (Number(overflow) > 0) found.push(`${path} at ${width} is ${overflow} pixels too wide`);
      }
    }
    expect(found).toEqual([]);
  });
});
