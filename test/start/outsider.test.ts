/** An outsider's pull request on Gitea, by the whole program: it waits, the page lets it run, and whose comments count is asked. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { z } from "zod";
import { openSite } from "../support/docker-ci.ts";
import { FORGE_TOKEN, startForge } from "../support/forge-server.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";
import { basic, readable } from "../support/web-client.ts";
import { fromGitea, SECRET } from "../support/webhooks.ts";

const run = promisify(execFile);
const LOGIN = basic("ada", "hunter2");
const PIPELINE = '# Changed.\nsteps: [{ name: tests, image: docker-ci/base, run: "exit 0" }]\n';
const Builds = z.object({ builds: z.array(z.object({ number: z.number(), ref: z.string(), state: z.string() })) });

test("waits for somebody's word on the page, and runs again for a collaborator's /retest alone", {
  timeout: 120_000,
}, async () => {
  await using forge = await startForge("gitea");
  await using repository = await temporaryFolder();
  const git = (...args: string[]) => run("git", ["-C", repository.path, ...args]);
  await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE.slice(PIPELINE.indexOf("steps")) });
  await git("checkout", "-q", "-b", "work");
  const head = await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE, "a.go": "1\n" });
  await git("update-ref", "refs/pull/12/head", head);
  await git("checkout", "-q", "main");
  forge.shas.add(head);
  forge.people.set("eve", "write").set("mallory", "read");
  await using site = await openSite(`
gitea: [{ url: "${forge.url}", token: ${FORGE_TOKEN}, webhook_secret: ${SECRET} }]
web: { user: ada, password: hunter2 }
projects: { pump: { repo: ${repository.path}, forge: "gitea:${forge.host}/distribution/distribution", poll: off } }
`);
  const running = await site.start();
  const hook = async (event: string, payload: object) => {
    const common = { repository: { full_name: "distribution/distribution", owner: { login: "distribution" } } };
    const { headers, body } = fromGitea(event, { ...common, ...payload });
    const answer = await fetch(`${site.url}/change_hook/gitea`, { method: "POST", headers, body });
    expect([answer.status, await answer.text()]).toEqual([202, expect.stringMatching(/^Taken: /)]);
  };
  const retest = (login: string) =>
    hook("issue_comment", {
      action: "created",
      is_pull: true,
      issue: { number: 12 },
      comment: { body: "/retest" },
      sender: { login },
    });
  const page = async () => (await fetch(`${site.url}/projects/pump`, { headers: LOGIN })).text();
  const builds = async () => Builds.parse(await (await fetch(`${site.url}/api/builds`)).json()).builds;
  const passed = async (number: number) =>
    waitFor(
      `#${number} to pass`,
      async () => (await builds()).some((build) => build.number === number && build.state === "passed"),
      {
        timeoutMs: 60_000,
        seen: () => running.stdout() + running.stderr(),
      },
    );

  await hook("pull_request", {
    action: "opened",
    number: 12,
    pull_request: {
      title: "Fix a typo",
      user: { login: "mallory" },
      head: { sha: head, repo_id: 2 },
      base: { ref: "main", repo_id: 1 },
    },
    sender: { login: "mallory" },
  });
  await waitFor("it to wait", async () => (await page()).includes("ok-to-test"), { seen: running.stdout });
  const html = await page();
  expect(readable(html)).toMatch(
    /pump PR#12 by mallory "Fix a typo" .* steers CI: \.docker-ci\.yml 1 other file a\.go/,
  );
  expect(await builds()).toEqual([]);

  const value = (name: string) => new RegExp(`ok-to-test".*?name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? "";
  const form = new URLSearchParams({ token: value("token"), head: value("head"), once: value("once") });
  const pressed = await fetch(`${site.url}/projects/pump/pulls/12/ok-to-test`, {
    method: "POST",
    redirect: "manual",
    headers: { ...LOGIN, "sec-fetch-site": "same-origin" },
    body: form,
  });
  expect([pressed.status, pressed.headers.get("location")]).toEqual([303, "/builds/1"]);
  await passed(1);

  await retest("mallory");
  await retest("eve");
  await passed(2);
  expect((await builds()).map(({ number, ref }) => [number, ref])).toEqual([
    [2, "PR#12"],
    [1, "PR#12"],
  ]);
  const asked = forge.calls.filter((call) => call.includes("/collaborators/"));
  expect(asked.map((call) => call.replace(/.*collaborators/, ""))).toEqual(["/mallory/permission", "/eve/permission"]);
});
