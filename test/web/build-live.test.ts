/** A build of docker-ci as its operator runs it, watched in a browser from its first line to its end. */
import { expect, test } from "vitest";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { openSite } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const LINES = 60;
/** Each line says when it was written; the container's clock is the machine's. */
const PIPELINE = `steps:
  - name: talk
    image: docker-ci/base
    run: |
      node -e 'let n = 0; const timer = setInterval(() => { n += 1; console.log("written at " + Date.now() + " line " + n); if (n === ${LINES}) clearInterval(timer); }, 100)'
`;

test.skipIf(!hasBrowser)(
  "asked for by a form, it is watched to its end: a line is on the page within 300 ms of being written",
  async () => {
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE });
    await using site = await openSite(
      `web: { user: ada, password: secret }\nprojects: { talk: { repo: ${repository.path} } }`,
    );
    const bot = await site.start();
    await using browser = await openBrowser();
    const httpCredentials = { username: "ada", password: "secret" };
    const page = await browser.open(`${site.url}/login?to=/force?project=talk`, { httpCredentials });
    await page.getByRole("button", { name: "Build" }).click();
    await page.waitForURL("**/builds/1");
    expect(await page.title()).toMatch(/^[○●] talk #1$/);
    /** How old each line is when it is in the document. */
    await page.evaluate(() => {
      const delays = new Map<string, number>();
      Object.assign(window, { delays });
      new MutationObserver(() => {
        for (const text of document.querySelectorAll(".log-row .text")) {
          const [, at, line] = /^written at (\d+) (line \d+)$/.exec(text.textContent ?? "") ?? [];
          if (at !== undefined && line !== undefined && !delays.has(line)) delays.set(line, Date.now() - Number(at));
        }
      }).observe(document.body, { childList: true, subtree: true });
    });
    await waitFor("the end", async () => (await page.title()) === "✔ talk #1", { timeoutMs: 60_000 });
    await page.locator(".log-row", { hasText: "passed in" }).last().waitFor();
    const delays = await page.evaluate(() => [...(Reflect.get(window, "delays") as Map<string, number>).values()]);
    expect(delays.length).toBe(LINES);
    // The first lines may have been written before the page was there; and half of the rest says how quick it is, where the slowest say
    // what else the machine was at. `npm run bench -- i` measures them all.
    const late = delays.slice(5).toSorted((a, b) => a - b);
    expect(late[Math.floor(late.length / 2)]).toBeLessThan(300);
    expect(await page.locator("#facts h1").textContent()).toContain("✔ passed");
    expect(await page.locator("table.steps").textContent()).toMatch(/talk\s*✔ passed/);
    await waitFor("nothing to follow", () => page.getByRole("button", { name: "Follow" }).isHidden());
    // A page that is still open would ask a server that is gone.
    await page.close();
    await bot.stop();
  },
);
