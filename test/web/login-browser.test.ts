/** Logging in and building from the page, in a browser. */
import { expect, test } from "vitest";
import { violations } from "../support/axe.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { CONFIG, configOf, openRecords } from "../support/records.ts";
import { serveWeb } from "../support/served-web.ts";

const WEB = "web: { user: ada, password: secret }\n";
const httpCredentials = { username: "ada", password: "secret" };

test.skipIf(!hasBrowser)("somebody logs in, is led back, builds and cancels, without a script", async () => {
  await using records = await openRecords(configOf(`${CONFIG}${WEB}`));
  await using web = await serveWeb(records);
  await using browser = await openBrowser();
  const page = await browser.open(`${web.url}/force`, { httpCredentials, javaScriptEnabled: false });
  await page.getByRole("banner").getByRole("link", { name: "Log in" }).click();
  expect(new URL(page.url()).pathname).toBe("/force");
  expect(await page.getByRole("banner").textContent()).toContain("ada");

  await page.getByLabel("Project").selectOption("hello");
  await page.getByLabel("Branch, tag or commit").fill("release");
  await page.getByRole("button", { name: "Build" }).click();
  await page.waitForURL("**/builds/1");
  expect(await records.store.latest(1)).toMatchObject([
    { project: "hello", ref: "release", requester: { name: "ada" } },
  ]);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Rebuild" }).waitFor();
  expect(await records.store.latest(1)).toMatchObject([{ state: { kind: "cancelled", by: "ada" } }]);
});

test.skipIf(!hasBrowser)("the form that asks for a build can be used by everybody", async () => {
  await using records = await openRecords(configOf(`${CONFIG}${WEB}`));
  await using web = await serveWeb(records);
  await using browser = await openBrowser();
  const page = await browser.open(`${web.url}/force`, { httpCredentials });
  expect(await violations(page)).toEqual([]);
  await page.goto(`${web.url}/login?to=/force`);
  await page.getByRole("button", { name: "Build" }).waitFor();
  expect(await violations(page)).toEqual([]);
});
