/** What people read when something is wrong with what they asked for, or with what docker-ci stands on. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { startGivenRedis } from "../support/given-redis.ts";
import { connectPerson } from "../support/irc-client.ts";
import { startNgircd } from "../support/ngircd.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

/** What is in the repository, and the line that answers. */
const broken: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
  [
    "a mistake in the pipeline file",
    { ".docker-ci.yml": "steps:\n  - name: tests\n    image: docker-ci/base\n    run: 'true'\n    timeot: 5m\n" },
    /✘ p #1 failed in .* · \.docker-ci\.yml:5: steps\[0\]\.timeot: unknown key\. Did you mean timeout\?/,
  ],
  [
    "neither a pipeline file nor a Dockerfile",
    { "README.md": "nothing to build\n" },
    /✘ p #1 failed in .* · the repository has neither \.docker-ci\.yml nor a Dockerfile at its top/,
  ],
  [
    "a step whose Dockerfile is missing",
    { ".docker-ci.yml": "steps:\n  - { name: image, build: app }\n" },
    /✘ p #1 failed in .* · step image, the repository has no app\/Dockerfile/,
  ],
  [
    "a Dockerfile whose command fails",
    { Dockerfile: "FROM docker-ci/base\nRUN echo no such luck && exit 3\n" },
    /✘ p #1 failed in .* · step image, .*exit(?: code:?)? 3|✘ p #1 failed in .* · step image, .*: 3/,
  ],
  [
    "an image that cannot be pulled, which is not the change's fault",
    { ".docker-ci.yml": "steps:\n  - { name: tests, image: 'registry.invalid/nothing:1', run: 'true' }\n" },
    /▲ p #1 could not run: image registry\.invalid\/nothing:1 cannot be pulled \(.*\) · tried twice, not your change/,
  ],
];

describe("a build of", () => {
  test.each(broken)("%s says so in the room, and docker-ci goes on", async (_what, files, answer) => {
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, files);
    await using site = await openSite(`projects: { p: { repo: ${repository.path} } }`);
    const { status, stdout } = await site.run(["start"], "!build p\n!version\n").ended;
    expect(stdout).toMatch(answer);
    expect(stdout).toContain("docker-ci 1.0.0");
    expect(status).toBe(1);
  });
});

describe("asking for", () => {
  test("a ref or a repository that is not there", async () => {
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { "README.md": "here\n" });
    await using site = await openSite(`projects: { p: { repo: ${repository.path} }, gone: { repo: /nowhere/at/all } }`);
    const { stdout } = await site.run(["start"], "!build p mian\n!build gone\n!build p ../x\n").ended;
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe(`p has no branch, tag or commit "mian". Nearest: main. All: ${site.url}/projects/p`);
    expect(lines[1]).toMatch(/^▲ cannot reach \/nowhere\/at\/all: there is nothing at that path/);
    expect(lines[2]).toMatch(
      /^"\.\.\/x" is not a branch, tag or commit name\. !build <project> \[branch, tag, commit or PR#12\] .*, for example /,
    );
  });

  test("a build while the engine is away", async () => {
    await using site = await openSite("engine: unix:///nowhere/docker.sock");
    const { status, stdout } = await site.run(["start"], "!build hello\n!status\n").ended;
    expect(stdout).toMatch(/^▲ the Docker Engine at unix:\/\/\/nowhere\/docker\.sock does not answer \(.*\)$/m);
    expect(stdout).toMatch(/^nothing runs or waits · broken: none/m);
    expect(status).toBe(1);
  });

  test("anything while Redis is away: one sentence, and all is well once it is back", { timeout: 90_000 }, async () => {
    await using folder = await temporaryFolder();
    await using redis = await startGivenRedis(folder.path);
    await using ircd = await startNgircd();
    await using ada = await connectPerson(ircd, "ada");
    await ada.join("#docker-dev");
    await using site = await openSite(
      `redis: ${redis.url}\nirc: [{ name: local, host: 127.0.0.1, port: ${ircd.port}, tls: false, channels: ["#docker-dev"] }]`,
    );
    await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);
    await redis.kill();
    ada.say("#docker-dev", "!status");
    await ada.hear(/Redis does not answer, so nothing was done\. Try again in a minute/, 20_000);
    expect((await fetch(`${site.url}/healthz`)).status).toBe(503);
    await redis.start();
    await waitFor("the page to be well", async () => (await fetch(`${site.url}/healthz`)).ok);
    ada.say("#docker-dev", "!status");
    await ada.hear(/nothing runs or waits/);
  });
});

describe("a configuration", () => {
  test("with mistakes: all of them, with line, found and allowed", async () => {
    await using site = await openSite(
      "prefx: '?'\nconcurrency: lots\nprojects: { p: { repo: /x, limits: { memory: a lot } } }",
    );
    const { status, stderr } = await site.run(["start"]).ended;
    expect(stderr).toMatch(/docker-ci\.yml:2: prefx: unknown key\. Did you mean prefix\?/);
    expect(stderr).toMatch(/docker-ci\.yml:3: concurrency: found "lots", allowed: /);
    expect(stderr).toMatch(/docker-ci\.yml:4: projects\.p\.limits\.memory: found "a lot", allowed: a size such as/);
    expect(status).toBe(78);
    await rm(join(site.folder, "docker-ci.yml"));
  });
});
