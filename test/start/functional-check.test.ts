/** A functional check (O-120) by the whole program: a step that looks at something, fails, and leaves a picture of what it saw. */
import { expect, test } from "vitest";
import { violations } from "../support/axe.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { openSite } from "../support/docker-ci.ts";
import { PIXEL } from "../support/png.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const pipeline = `
    pipeline:
      steps:
        - name: http
          image: docker-ci/base
          run: node -e 'require("node:fs").writeFileSync("answer.txt", "200")'
          artifacts: answer.txt
        - name: screen
          image: docker-ci/base
          run: |
            node -e 'require("node:fs").writeFileSync("screen.png", Buffer.from("${PIXEL}", "base64"))'
            echo '<svg xmlns="http://www.w3.org/2000/svg"/>' > drawn.png
            echo "ada is not logged in"; exit 1
          artifacts: "*.png"`;

/** 0 until it is loaded, and for what is none. */
const WIDTH = "document.querySelector('.pictures img').naturalWidth";

test.skipIf(!hasBrowser)("what a failing check saw is linked in chat, and shown on the pages (O-120)", async () => {
  await using repository = await temporaryFolder();
  // All that it needs of a repository is a commit.
  await commitFiles(repository.path, {});
  await using site = await openSite(
    `projects:\n  site-check:\n    repo: ${repository.path}\n    network: none${pipeline}`,
  );
  const started = site.run(["start"], "");
  started.write("!build site-check\n");
  await waitFor("the picture's link", () => started.stdout().includes("picture of"), {
    timeoutMs: 60_000,
    seen: () => started.stdout() + started.stderr(),
  });
  expect(started.stdout()).toMatch(/✘ site-check #1 failed in .* · step screen, exit 1.* · http:\S+\/builds\/1\n/);
  expect(started.stdout()).toContain(`picture of step screen · ${site.url}/artifacts/1/screen.png`);

  await using browser = await openBrowser();
  for (const path of ["/builds/1", "/projects/site-check"]) {
    const page = await browser.open(`${site.url}${path}`);
    const pictures = page.locator(".pictures img");
    // What is a picture by its name alone is none.
    expect(await pictures.count()).toBe(1);
    expect(await pictures.getAttribute("alt")).toBe("screen.png, as step screen left it");
    await waitFor("the picture to be there", async () => (await page.evaluate(WIDTH)) === 1);
    expect(await violations(page)).toEqual([]);
    const large = await page.locator(".pictures a").getAttribute("href");
    const { status, headers } = await fetch(`${site.url}${large}`);
    expect([status, headers.get("content-type")]).toEqual([200, "image/png"]);
    expect(headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);
  }
});
