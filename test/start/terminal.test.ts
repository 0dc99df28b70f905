/** docker-ci on a terminal of its own, with a person at the keys. */
import { expect, test } from "vitest";
import { openSite, type Site } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

/** `script` runs what follows on a terminal, and types there what it gets. */
const ON_A_TERMINAL = ["sh", "-c", 'exec script --quiet --flush --return --command "$*" /dev/null', "sh"];
const CTRL_D = "\u0004";
const PIPELINE = "steps: [{ name: slow, image: docker-ci/base, run: sleep 3 }]\n";

/** Starts it, and waits until it listens to the keys. */
async function sitDown(site: Site) {
  const bot = site.run(["start"], "", { NO_COLOR: "1" });
  const seen = async (text: RegExp) =>
    waitFor(String(text), () => text.test(bot.stdout()), {
      timeoutMs: 30_000,
      seen: () => bot.stdout() + bot.stderr(),
    });
  await seen(/Ctrl-D leaves[\s\S]*\n[^\n]*> /);
  return { bot, seen };
}

/** What stands on the screen at the end: of a line that was wiped only what was written there after that. */
function lastLines(output: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what wipes the screen begins with one
  const shown = output.split(/\u001b\[1G(?:\u001b\[\d+A)?\u001b\[0J/).at(-1) ?? "";
  return shown.split(/\r?\n/).filter((line) => line !== "");
}

test("Ctrl-D ends it, and the shell has its terminal back", async () => {
  await using site = await openSite("projects: {}", { launcher: ON_A_TERMINAL });
  const { bot, seen } = await sitDown(site);
  bot.write("!version\r");
  await seen(/docker-ci 1\.0\.0 · Node/);
  bot.write(CTRL_D);
  const { status, stdout } = await bot.ended;
  expect(status).toBe(0);
  expect(stdout.split("Leaving. Stopping.")[1]).not.toContain(">");
}, 60_000);

test("Ctrl-D with a build at work waits for it, shows how it goes on, and then says its result", async () => {
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE });
  await using site = await openSite(`projects: { hello: { repo: ${repository.path} } }`, { launcher: ON_A_TERMINAL });
  const { bot, seen } = await sitDown(site);
  bot.write("!build hello\r");
  await seen(/● hello #1 step 1 of 1 slow/);
  bot.write(CTRL_D);
  await seen(/Leaving\. Waiting for #1; Ctrl-C leaves it to the next start\.[\s\S]*● hello #1 step 1 of 1 slow/);
  const { status, stdout } = await bot.ended;
  expect(status).toBe(0);
  expect(stdout).toMatch(/Leaving\.[\s\S]*✔ hello #1 passed/);
  expect(lastLines(stdout).join("\n")).not.toMatch(/●|> $/);
}, 60_000);
