/** O-80: the waterfall as people see it, wide and on a phone. */
import { describe, expect, test } from "vitest";
import type { FinalState } from "../../../src/builds/build.ts";
import { GitRef } from "../../../src/names.ts";
import { violations } from "../../support/axe.ts";
import { hasBrowser, openBrowser } from "../../support/browser.ts";
import { ago, openRecords, type Records, revisionOf } from "../../support/records.ts";
import { serveWeb } from "../../support/served-web.ts";

interface Site extends Records {
  readonly url: string;
}

async function openSite(): Promise<Site> {
  const records = await openRecords();
  const served = await serveWeb(records);
  return {
    ...records,
    url: `${served.url}/waterfall`,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}

/** In minutes before now. */
async function built(
  site: Site,
  project: string,
  from: number,
  to: number,
  isGood = true,
  branch = "main",
): Promise<void> {
  const times = { startedAt: ago(from * 60), finishedAt: ago(to * 60) };
  const end: FinalState = isGood
    ? { kind: "passed", ...times }
    : { kind: "failed", ...times, reason: "step tests, exit 1" };
  const ref = GitRef.parse(branch);
  const build = await site.create(project, { ref, revision: revisionOf("3", { ref }) });
  await site.end(await site.begin(build), end);
}

describe.skipIf(!hasBrowser)("the waterfall in a browser", () => {
  test("a build of twice the length is twice as high, in the column of its project, and what came later is higher up", async () => {
    await using site = await openSite();
    await built(site, "docker", 200, 160);
    await built(site, "hello", 130, 110);
    await built(site, "docker", 100, 80);
    await using browser = await openBrowser();
    const page = await browser.open(site.url, { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false });
    const blocks = await page.locator("td.block").all();
    const [newest, middle, oldest] = await Promise.all(blocks.map((block) => block.boundingBox()));
    if (!newest || !middle || !oldest) throw new Error("three blocks were to be seen");
    expect(await page.locator("td.block > a").allTextContents()).toEqual(["docker #3", "hello #2", "docker #1"]);
    expect(oldest.height / newest.height).toBeCloseTo(2, 0);
    expect([newest.x, middle.x > newest.x]).toEqual([oldest.x, true]);
    expect(newest.y < middle.y && middle.y < oldest.y).toBe(true);
  });

  test("without scripts: filters are chosen in the form, stand in the address, and can be taken back", async () => {
    await using site = await openSite();
    await built(site, "docker", 60, 50, false);
    await built(site, "docker", 40, 30);
    await built(site, "hello", 20, 10, false);
    await using browser = await openBrowser();
    const page = await browser.open(site.url, { javaScriptEnabled: false });
    const seen = () => page.locator(".block > a").allTextContents();
    expect(await page.title()).toBe("✘ waterfall: hello did not pass");
    await page.getByLabel("project").selectOption("docker");
    await page.getByLabel("only failures").check();
    await page.getByRole("button", { name: "Show" }).click();
    expect(page.url()).toBe(`${site.url}?project=docker&failures=only`);
    expect(await seen()).toEqual(["docker #1"]);
    expect(await page.getByLabel("only failures").isChecked()).toBe(true);
    await page.getByRole("link", { name: "Show all" }).click();
    expect(await seen()).toEqual(["hello #3", "docker #2", "docker #1"]);
  });

  test("390 px wide it is a list: nothing to scroll sideways, each build with its project and change, the newest on top", async () => {
    await using site = await openSite();
    for (const [at, project] of ["docker", "docker-registry", "hello", "docker"].entries()) {
      await built(site, project, 90 - at * 10, 85 - at * 10, at % 2 === 0, `a-branch-with-quite-a-long-name-${at}`);
    }
    await site.create("hello");
    await using browser = await openBrowser();
    const page = await browser.open(site.url, { viewport: { width: 390, height: 800 }, javaScriptEnabled: false });
    const blocks = await page.locator(".block").all();
    const boxes = await Promise.all(blocks.map((block) => block.boundingBox()));
    expect(boxes.map((box) => Math.round(box?.x ?? 0))).toEqual(boxes.map(() => 16));
    for (const box of boxes) expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(390);
    expect(await page.getByRole("link", { name: "hello #5" }).isVisible()).toBe(true);
    const change = page.locator(".block", { hasText: "#4" }).getByText("bob 3333333 Fix CloudFront");
    expect(await change.isVisible()).toBe(true);
    const bar = await page.locator(".bar").boundingBox();
    expect(bar?.width).toBe(390);
  });

  test.each([
    [1280, "light"],
    [1280, "dark"],
    [390, "light"],
  ] as const)("%i px wide and %s nothing on it keeps anybody from using it", async (width, colorScheme) => {
    await using site = await openSite();
    await built(site, "docker", 500, 490);
    await built(site, "docker", 60, 50, false, "release");
    await built(site, "hello", 55, 45);
    const cancelled = await site.create("docker");
    await site.end(cancelled, { kind: "cancelled", finishedAt: ago(1_200), by: "ada" });
    const broken = { startedAt: ago(900), finishedAt: ago(800), reason: "no space left", tries: 2 };
    await site.end(await site.begin(await site.create("hello")), { kind: "errored", ...broken });
    await site.begin(await site.create("docker"));
    await site.create("hello");
    await using browser = await openBrowser();
    const page = await browser.open(site.url, { viewport: { width, height: 900 }, colorScheme });
    expect(await violations(page)).toEqual([]);
  });
});
