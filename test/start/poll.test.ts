/** The whole program looks at a repository by itself: what is pushed is built, also what was pushed while it was not there. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { z } from "zod";
import { openSite, type Site } from "../support/docker-ci.ts";
import { openGitRepository } from "../support/git-servers.ts";
import { waitFor } from "../support/wait-for.ts";

const PIPELINE = "steps:\n  - { name: tests, image: docker-ci/base, run: echo fine }\n";
const Builds = z.object({
  builds: z.array(
    z.looseObject({
      number: z.number(),
      event: z.string().optional(),
      ref: z.string(),
      state: z.string().or(z.looseObject({ kind: z.string() }).transform(({ kind }) => kind)),
      revision: z.looseObject({ sha: z.string() }).optional(),
      untrusted: z.boolean().optional(),
    }),
  ),
});

/** What was built, the oldest first. */
async function buildsOf(site: Site): Promise<z.infer<typeof Builds>["builds"]> {
  const answer: unknown = await (await fetch(`${site.url}/api/builds`)).json();
  return Builds.parse(Array.isArray(answer) ? { builds: answer } : answer).builds.toReversed();
}

/** Its first look is over, after which a push is news. */
async function looked(site: Site): Promise<void> {
  const redis = new Redis({ path: join(site.folder, "data", "redis", "redis.sock") });
  try {
    await waitFor("the first look", async () => (await redis.hlen("docker-ci:triggers:looked")) > 0, {
      timeoutMs: 60_000,
    });
  } finally {
    redis.disconnect();
  }
}

test("a push, a tag and a pull request are built; a push that came while it was killed is built at the next start", async () => {
  await using repository = await openGitRepository();
  const { git, commit } = repository;
  await commit("first", { ".docker-ci.yml": PIPELINE });
  await using site = await openSite(
    `projects: { web: { repo: ${repository.path}, network: none, poll: 5s, pull_requests: run } }\n`,
  );
  const running = await site.start();
  await looked(site);
  const second = await commit("second", { "a.txt": "1" });
  await git("tag", "-a", "-m", "one", "v1");
  await git("checkout", "-q", "--detach");
  const head = await commit("a pull request", { "b.txt": "1" });
  await git("update-ref", "refs/pull/7/head", head);
  await git("checkout", "-q", "main");
  const done = await waitFor(
    "three builds to pass",
    async () => {
      const builds = await buildsOf(site);
      return builds.length === 3 && builds.every(({ state }) => state === "passed") && builds;
    },
    { timeoutMs: 90_000, seen: () => running.stdout() + running.stderr() },
  );
  expect(done.map(({ event, revision }) => [event, revision?.sha]).sort()).toEqual([
    ["pull_request", head],
    ["push", second],
    ["tag", second],
  ]);

  await running.kill();
  const third = await commit("third", { "a.txt": "2" });
  const again = await site.start();
  const [last] = await waitFor(
    "the push that was missed",
    async () => {
      const builds = (await buildsOf(site)).slice(3);
      return builds.some(({ state }) => state === "passed") && builds;
    },
    { timeoutMs: 90_000, seen: () => again.stdout() + again.stderr() },
  );
  expect(last).toMatchObject({ event: "push", ref: "main", revision: { sha: third } });
  expect(await buildsOf(site)).toHaveLength(4);
}, 240_000);
