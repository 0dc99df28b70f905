/** A build by the whole program on a real engine, and what the forge is told of it; and what `docker-ci check` says of the forge. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { FORGE_TOKEN, startForge } from "../support/forge-server.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const pipeline = (run: string): Record<string, string> => ({
  ".docker-ci.yml": `steps: [{ name: tests, image: docker-ci/base, run: "${run}" }]\n`,
});

test("commits and pull requests are told what became of them, and no log has the token", {
  timeout: 120_000,
}, async () => {
  await using forge = await startForge();
  await using repository = await temporaryFolder();
  const git = (...args: string[]) => run("git", ["-C", repository.path, ...args]);
  const main = await commitFiles(repository.path, pipeline("exit 0"));
  await git("checkout", "-q", "-b", "work");
  const head = await commitFiles(repository.path, pipeline("exit 1"));
  await git("update-ref", "refs/pull/12/head", head);
  await git("checkout", "-q", "main");
  forge.shas.add(main).add(head);
  await using site = await openSite(`
github: { token: ${FORGE_TOKEN}, api_url: "${forge.url}", comment: true }
projects: { pump: { repo: ${repository.path}, forge: "github:distribution/distribution" } }
`);
  const { stdout, stderr } = await site.run(["start"], "!build pump\n!build pump PR#12\n").ended;
  const last = (sha: string) => forge.statuses.filter((status) => status.sha === sha).at(-1);
  expect(last(main)).toMatchObject({
    state: "success",
    context: "docker-ci/pump",
    description: expect.stringMatching(/^passed in \S+$/),
    target_url: `${site.url}/builds/1`,
  });
  expect(last(head)).toMatchObject({ state: "failure", target_url: `${site.url}/builds/2` });
  expect(forge.comments.map(({ pullRequest, body }) => [pullRequest, body])).toEqual([
    [12, expect.stringContaining(`✘ **[pump #2](${site.url}/builds/2) failed**`)],
  ]);
  const { stdout: logged } = await run("grep", ["-rlF", FORGE_TOKEN, site.folder]).catch(() => ({ stdout: "" }));
  expect(logged.trim()).toBe(`${site.folder}/docker-ci.yml`);
  expect(stdout + stderr).not.toContain(FORGE_TOKEN);
});

test("check says which repositories the token sees, and why it does not see one", { timeout: 60_000 }, async () => {
  await using forge = await startForge();
  await using site = await openSite(`
github: { token: ${FORGE_TOKEN}, api_url: "${forge.url}" }
engine: unix:///nowhere/docker.sock
projects:
  pump: { repo: /nowhere, forge: "github:distribution/distribution" }
  valve: { repo: /nowhere, forge: "github:ada/valve" }
`);
  const { stdout } = await site.run(["check"]).ended;
  expect(stdout).toMatch(/^✔ github pump +distribution\/distribution, for statuses of its commits$/m);
  expect(stdout).toMatch(/^✘ github valve +127\.0\.0\.1:\d+ shows this token no ada\/valve.*\(404: Not Found\)$/m);
  forge.mayPush = false;
  const again = await site.run(["check"]).ended;
  expect(again.stdout).toMatch(/^▲ github pump +.*the token may not push/m);
});
