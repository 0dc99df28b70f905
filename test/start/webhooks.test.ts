/** A webhook, as a forge sends it to the running docker-ci: what was answered is built, whatever happens to the process then. */
import { expect, test } from "vitest";
import { z } from "zod";
import { openSite } from "../support/docker-ci.ts";
import { freePort } from "../support/irc-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { fromGithub, githubPush, SECRET } from "../support/webhooks.ts";

const Builds = z.object({
  builds: z.array(z.object({ ref: z.string(), event: z.string(), revision: z.object({ sha: z.string() }) })),
});

test("pushes over the listener for webhooks are built once each, though docker-ci is killed after every answer", async () => {
  const port = await freePort();
  await using site = await openSite(
    [
      `github: { webhook_secret: ${SECRET} }`,
      `hooks: { listen: "127.0.0.1:${port}" }`,
      "web: { user: ada, password: hunter2, private: true }",
      'projects: { engine: { repo: /nowhere/engine, forge: "github:octo-team/engine", poll: off } }',
    ].join("\n"),
  );
  const hook = `http://127.0.0.1:${port}/change_hook/github`;
  const up = async () => {
    const started = site.run(["start", "--no-worker"]);
    await waitFor("docker-ci to be up", async () => (await fetch(`${site.url}/healthz`)).ok, {
      seen: () => started.stdout() + started.stderr(),
    });
    return started;
  };

  for (const [branch, sha] of [
    ["ada/one", "b"],
    ["ada/two", "c"],
  ] as const) {
    const running = await up();
    const { headers, body } = fromGithub("push", githubPush({ ref: `refs/heads/${branch}`, after: sha.repeat(40) }));
    const answer = await fetch(hook, { method: "POST", headers, body });
    expect([answer.status, await answer.text()]).toEqual([202, `Taken: push of ${branch} to engine.\n`]);
    await running.kill();
  }

  await up();
  const login = { authorization: `Basic ${Buffer.from("ada:hunter2").toString("base64")}` };
  const queued = async () => {
    const answer = await fetch(`${site.url}/api/builds?state=queued`, { headers: login });
    return Builds.parse(await answer.json()).builds.map(({ ref, event, revision }) => [ref, event, revision.sha]);
  };
  await waitFor("both builds", async () => (await queued()).length === 2, { seen: () => "fewer" });
  expect((await queued()).toSorted()).toEqual([
    ["ada/one", "push", "b".repeat(40)],
    ["ada/two", "push", "c".repeat(40)],
  ]);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
});
