/** The log as a person uses it in a browser: long, coloured, folded, searched, linked, hostile (O-83). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { Build } from "../../src/builds/build.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { type BuildSite, openBuildSite } from "../support/build-site.ts";
import { ago } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";

const ended = { startedAt: ago(72), finishedAt: ago(0) };
const LINES = 150_000;

async function keptLog(site: BuildSite, lines: (number: number) => string, count: number): Promise<void> {
  const build = await site.begin(await site.create("hello"));
  const log = await site.writeLog(build.number);
  for (let number = 1; number <= count; number += 1) {
    const bytes = Buffer.from(`${lines(number)}\n`);
    await log.write(bytes, { step: "tests", output: { stdout: 0, stderr: 0 } });
  }
  await log.close();
  await site.end(build, { kind: "passed", ...ended });
}

/** The lines that are seen, and perhaps a few beyond. */
const rows = (page: Page): Promise<string[]> => page.locator(".log-row").allInnerTexts();
const line = (page: Page, number: number) => page.locator(`.log-row:has(> .no[href="#L${number}"])`);
/** Whether a line is within what is seen of the log. */
const isSeen = (page: Page, number: number): Promise<boolean> =>
  line(page, number).evaluateAll((found) => {
    const view = document.querySelector(".log-view")?.getBoundingClientRect();
    const row = found[0]?.getBoundingClientRect();
    return view !== undefined && row !== undefined && row.top >= view.top - 1 && row.bottom <= view.bottom + 1;
  });

test.skipIf(!hasBrowser)(
  "of 150,000 lines few are in the document; every one can be reached, found and linked to",
  async () => {
    await using site = await openBuildSite();
    await keptLog(
      site,
      (n) =>
        n === 1
          ? "── step 1 of 2: image · 17:00:00 · docker build ."
          : n === 51
            ? "── step 2 of 2: tests · 17:01:00 · in image"
            : n % 30_000 === 0
              ? `line ${n} the Needle`
              : `line ${n}`,
      LINES,
    );
    await using browser = await openBrowser();
    const page = await browser.open(`${site.url}/builds/1`);
    // It begins at the end, where it says how it went.
    await line(page, LINES).waitFor();
    expect(await page.locator(".log-row").count()).toBeLessThan(100);

    // Scrolled to the middle, those lines are fetched.
    await page.locator(".log-view").evaluate((view) => {
      view.scrollTop = view.scrollHeight / 2;
    });
    await waitFor("the middle", async () => (await rows(page)).some((text) => text.includes("line 75010")));

    await page.keyboard.press("/");
    await page.keyboard.type("needle");
    await page.keyboard.press("Enter");
    const status = page.locator(".log-head [role=status]");
    await waitFor("the search", async () => (await status.textContent()) === "3 of 5");
    await waitFor("the third needle", () => isSeen(page, 90_000));
    await waitFor("its mark", async () => (await line(page, 90_000).locator("mark").textContent()) === "Needle");
    await page.keyboard.press("Enter");
    await waitFor("the next", async () => (await status.textContent()) === "4 of 5");
    await page.keyboard.press("Shift+Enter");
    await waitFor("the one before", async () => (await status.textContent()) === "3 of 5");

    await page.locator(".log-view").evaluate((view) => {
      view.scrollTop = 0;
    });
    await line(page, 2).waitFor();
    await page.locator('[data-fold="1"]').click();
    await waitFor("the fold", async () => (await rows(page)).length > 0 && (await line(page, 2).count()) === 0);
    // The next step stands right below.
    expect((await rows(page))[1]).toContain("step 2 of 2: tests");
    expect(await page.locator('[data-fold="1"]').getAttribute("aria-expanded")).toBe("false");

    // A link into the fold opens it.
    await page.goto(`${site.url}/builds/1#L40`);
    await waitFor("line 40", () => isSeen(page, 40));
    expect(await line(page, 40).getAttribute("class")).toContain("chosen");
    await line(page, 45).locator(".no").click();
    await waitFor("line 45 to be chosen", async () => (await line(page, 45).getAttribute("class"))?.includes("chosen"));
    expect(page.url()).toBe(`${site.url}/builds/1#L45`);
    // A link that was sent to somebody.
    const other = await browser.open(`${site.url}/builds/1#L88120`);
    await waitFor("line 88120", () => isSeen(other, 88_120));
    // Its place is there a moment before it is fetched.
    const text = () => line(other, 88_120).textContent();
    await waitFor("its text", async () => (await text())?.includes("line 88120"), { seen: text });
  },
);

test.skipIf(!hasBrowser)("scrolling through it all stays smooth", async () => {
  await using site = await openBuildSite();
  await keptLog(
    site,
    (n) => `\u001b[32mok\u001b[0m ${n} \u001b[1;38;5;208mTestSomething\u001b[0m (0.0${n % 10}s)`,
    LINES,
  );
  await using browser = await openBrowser();
  const page = await browser.open(`${site.url}/builds/1`);
  await line(page, LINES).waitFor();
  /** The work that scrolling makes in the page's one thread, a step at a time. */
  const slowest = await page.evaluate(async () => {
    const view = document.querySelector(".log-view");
    if (view === null) return Number.NaN;
    const times: number[] = [];
    for (let step = 0; step < 120; step += 1) {
      const before = performance.now();
      view.scrollTop = (view.scrollHeight * step) / 120;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      times.push(performance.now() - before);
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length * 0.9)] ?? Number.NaN;
  });
  // Two pictures take 33 ms; a machine that is busy takes longer, one that lays out 150,000 lines takes seconds.
  expect(slowest).toBeLessThan(250);
});

test.skipIf(!hasBrowser)("colours are shown, and what else a terminal understands has no effect", async () => {
  await using site = await openBuildSite();
  const texts = [
    "\u001b[31mred\u001b[0m plain \u001b[1mbold\u001b[22m \u001b[38;5;208morange\u001b[0m \u001b[48;2;10;20;30mdark\u001b[0m",
    "10%\r50%\r100%\r",
    "\u001b]0;title\u0007\u001b[2J\u001b[10;10Hplaced\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\",
    "nul \u0000 bell \u0007 \u009b31m eight bit",
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
  ];
  await keptLog(site, (n) => texts[n - 1] ?? "", texts.length);
  await using browser = await openBrowser();
  const page = await browser.open(`${site.url}/builds/1`);
  await line(page, 5).waitFor();
  const shown = await page.locator(".log-row .text").allInnerTexts();
  expect(shown).toEqual([
    "red plain bold orange dark",
    "100%",
    "placedlink",
    "nul  bell  31m eight bit",
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
  ]);
  expect(await page.locator(".log-row .a1").textContent()).toBe("red");
  expect(await page.locator(".log-row .b").textContent()).toBe("bold");
  const dark = page.locator(".log-row span", { hasText: /^dark$/ });
  expect(await dark.evaluate((span) => getComputedStyle(span).backgroundColor)).toBe("rgb(10, 20, 30)");
  expect(await page.title()).toBe("✔ hello #1");
  expect(await page.locator(".log-view a[href^=http], .log-view img, .log-view script").count()).toBe(0);
});

test.skipIf(!hasBrowser)("a line of ten megabytes is cut, and the page stays up", async () => {
  await using site = await openBuildSite();
  await keptLog(site, (n) => (n === 2 ? "x".repeat(10_000_000) : `line ${n}`), 3);
  await using browser = await openBrowser();
  const page = await browser.open(`${site.url}/builds/1`);
  await line(page, 3).waitFor();
  const text = (await line(page, 2).textContent()) ?? "";
  expect(text.length).toBeLessThan(5_000);
  expect(text).toContain("… cut");
  expect(await line(page, 3).textContent()).toContain("line 3");
});

test.skipIf(!hasBrowser)(
  "without scripts the page has the same facts, the end of the log and a way to all of it",
  async () => {
    await using site = await openBuildSite();
    await keptLog(site, (n) => `line ${n}`, 2_000);
    await using browser = await openBrowser();
    const page = await browser.open(`${site.url}/builds/1`, { javaScriptEnabled: false });
    expect(await page.locator(".log-plain pre").textContent()).toContain("line 2000");
    await page.getByRole("link", { name: "in pieces" }).click();
    await page.getByRole("link", { name: "first" }).click();
    await page.getByLabel("Search in the log").fill("LINE 1500");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("link", { name: "1500" }).click();
    expect(page.url()).toBe(`${site.url}/builds/1/log/view?from=1490#L1500`);
    expect(await page.locator("#L1500").textContent()).toContain("line 1500");
  },
);

test.skipIf(!hasBrowser)("a log that has no line yet is words, and a short one a small box", async () => {
  await using site = await openBuildSite();
  const build = await site.create("hello");
  await using browser = await openBrowser();
  const page = await browser.open(`${site.url}/builds/1`);
  await page.locator("#waits").waitFor();
  expect(await page.locator(".log-view").count()).toBe(0);
  expect(await page.locator("#log").textContent()).toContain("There is no log yet.");
  await site.begin(build);
  const log = await site.writeLog(1);
  for (let number = 1; number <= 12; number += 1) await log.line(`line ${number}`);
  await log.flush();
  await line(page, 12).waitFor();
  expect(await page.locator(".log-none").count()).toBe(0);
  expect((await page.locator(".log-view").boundingBox())?.height).toBeLessThan(300);
  await log.close();
});

test.skipIf(!hasBrowser)("a build that began while its page was on its way is not shown as queued", async () => {
  await using site = await openBuildSite();
  const build = await site.create("hello");
  await using browser = await openBrowser();
  const page = await browser.open(`${site.url}/builds`);
  // Between the page and its connection.
  await page.route("**/log/outline", async (route) => {
    await site.begin(build);
    const log = await site.writeLog(1);
    await log.line("line 1");
    await log.close();
    await route.continue();
  });
  await page.goto(`${site.url}/builds/1`);
  await waitFor("its state", async () => (await page.title()) === "● hello #1");
  expect(await page.locator("#facts h1").textContent()).toContain("● running");
});

test.skipIf(!hasBrowser)(
  "what is written is seen at once; who scrolls up is left there; title, icon and facts follow",
  async () => {
    await using site = await openBuildSite();
    const build = await site.begin(await site.create("hello"));
    const log = await site.writeLog(1);
    for (let number = 1; number <= 200; number += 1) await log.line(`line ${number}`);
    await log.flush();
    await using browser = await openBrowser();
    const page = await browser.open(`${site.url}/builds/1`);
    expect(await page.title()).toBe("● hello #1");
    await line(page, 200).waitFor();
    await log.line("── step 1 of 1: tests · 17:34:00 · in image");
    await log.line("half a li");
    await log.flush();
    await waitFor("it to be followed", () => isSeen(page, 202));

    const follow = page.getByRole("button", { name: "Follow" });
    expect(await follow.getAttribute("aria-pressed")).toBe("true");
    await page.locator(".log-view").hover();
    await page.mouse.wheel(0, -2_000);
    await waitFor("it to be held", async () => (await follow.getAttribute("aria-pressed")) === "false");
    for (let number = 203; number <= 400; number += 1) await log.line(`line ${number}`);
    await log.flush();
    await follow.click();
    await waitFor("the end", () => isSeen(page, 400));

    const steps = Build.shape.steps.parse([
      { name: "tests", kind: "run", state: "failed", durationMs: 1, meaning: "exit 1" },
    ]);
    await log.close();
    await site.store.transition(build, { kind: "failed", ...ended, reason: "step tests, exit 1" }, { steps });
    await waitFor("the end of the build", async () => (await page.title()) === "✘ hello #1");
    expect(await page.locator("#facts h1").textContent()).toContain("✘ failed");
    expect(await page.locator("#icon").getAttribute("href")).toContain("b3261e");
    await waitFor("nothing to follow", () => follow.isHidden());
    expect(await isSeen(page, 400)).toBe(true);
  },
);

test.skipIf(!hasBrowser)(
  "nobody is kept out: axe finds nothing on the pages of a build, in either scheme, wide or narrow",
  async () => {
    await using site = await openBuildSite();
    await keptLog(
      site,
      (n) => `\u001b[3${n % 8}mline\u001b[0m \u001b[38;2;255;255;0m${n}\u001b[0m ${"x".repeat(n)}`,
      300,
    );
    const steps = Build.shape.steps.parse([
      { name: "tests", kind: "run", state: "failed", durationMs: 1, meaning: "exit 1" },
    ]);
    const results = Build.shape.results.parse({
      tests: {
        total: 2,
        failed: 1,
        skipped: 0,
        durationMs: 1,
        failing: [{ suite: "a", name: "b", message: "c".repeat(500) }],
        flaky: [],
        slowest: [],
      },
      explanation: { kind: "tests", line: "d", logLine: 3, excerpt: ["e".repeat(500), "f"], files: [], signature: "g" },
    });
    const failed = await site.begin(await site.create("hello"));
    await site.store.transition(failed, { kind: "failed", ...ended, reason: "step tests, exit 1" }, { steps, results });
    const axe = await readFile(join(PACKAGE_FOLDER, "node_modules/axe-core/axe.min.js"), "utf8");
    await using browser = await openBrowser();
    for (const path of [
      "/builds/1#L290",
      "/builds/2",
      "/builds/2/tests",
      "/builds/2/changes",
      "/builds/1/log/view",
      "/builds/1/log/view?q=line",
    ]) {
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await browser.open(`${site.url}${path}`, { colorScheme, viewport: { width: 390, height: 800 } });
        if (path.startsWith("/builds/1#")) await line(page, 290).waitFor();
        const found = await page.evaluate(
          `${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))`,
        );
        expect(found, `${path} ${colorScheme}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(390);
        await page.context().close();
      }
    }
  },
);
