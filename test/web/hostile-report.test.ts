/** A coverage report that somebody wrote to do harm, looked at by somebody who is logged in (O-177). */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { coverageFolder } from "../../src/builds/pipeline-of-build.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { CONFIG, configOf, openRecords } from "../support/records.ts";
import { serveWeb } from "../support/served-web.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PAGE = `<!doctype html><title>report</title><p id="said">nothing happened</p>
<script>
  const tell = (text) => { document.getElementById("said").textContent = text; };
  tell("a script ran");
  fetch("/api/builds", { credentials: "include" }).then((answer) => answer.text()).then(tell);
  fetch("/builds", { method: "POST", credentials: "include", body: "project=hello" });
</script>
<img src="x" onerror="document.title = 'a handler ran'">
<iframe src="/api/builds"></iframe>
<form action="/builds" method="post"><input name="project" value="hello"><button>Continue</button></form>`;

test.skipIf(!hasBrowser)("it runs no script, reads nothing with the visitor's login, and builds nothing", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords(
    configOf(`data: ${folder.path}\nweb: { user: ada, password: secret }\n${CONFIG}`),
  );
  const pages = join(coverageFolder(folder.path), "hello", "1");
  await mkdir(pages, { recursive: true });
  await writeFile(join(pages, "index.html"), PAGE);
  await using web = await serveWeb(records);
  await using browser = await openBrowser();
  const asked: string[] = [];
  const context = await browser.browser.newContext({ httpCredentials: { username: "ada", password: "secret" } });
  const page = await context.newPage();
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${web.url}/coverage/hello/1/`, { waitUntil: "networkidle" });
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForTimeout(0);
  expect(await page.locator("#said").textContent()).toBe("nothing happened");
  expect(await page.title()).toBe("report");
  expect(asked.filter((path) => path.startsWith("/api") || path === "/builds")).toEqual([]);
  expect(await records.store.latest(1)).toEqual([]);
  await context.close();
});
