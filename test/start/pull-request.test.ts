/** Pull requests by their number, by the whole program on a real engine: merged, in conflict, and not there. O-55. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const SECRET = "hunter2-hunter2";
const DOCKERFILE = "FROM docker-ci/base\nWORKDIR /src\nCOPY . .\n";
const PIPELINE = `steps:
  - name: image
    build: .
  - name: tests
    cache: /kept
    run: |
      echo "PR $DOCKER_CI_PR into $DOCKER_CI_BRANCH, token [$TOKEN]"
      cat mine theirs
  - name: deploy
    when: { event: [push, chat] }
    run: echo deployed
`;

test("a pull request is built as what it would become; one in conflict has failed with the files, and is not tried again", async () => {
  await using repository = await temporaryFolder();
  const git = async (...args: string[]) => (await run("git", ["-C", repository.path, ...args])).stdout.trim();
  const began = await commitFiles(repository.path, {
    ".docker-ci.yml": PIPELINE,
    Dockerfile: DOCKERFILE,
    "a.go": "1\n",
    "b.go": "1\n",
  });
  await git("checkout", "-q", "-b", "work");
  const clean = await commitFiles(repository.path, { mine: "from the pull request\n" }, { message: "adds mine" });
  const clash = await commitFiles(repository.path, { "a.go": "2\n", "b.go": "2\n" }, { message: "clashes" });
  await git("update-ref", "refs/pull/12/head", clean);
  await git("update-ref", "refs/pull/13/head", clash);
  await git("checkout", "-q", "-B", "main", began);
  await git("branch", "-q", "-D", "work");
  const base = await commitFiles(repository.path, { theirs: "from its target\n", "a.go": "3\n", "b.go": "3\n" });
  const project = `{ repo: ${repository.path}, network: none, privileged: true, secrets: { TOKEN: ${SECRET} } }`;
  await using site = await openSite(`projects: { web: ${project} }\n`);
  const short = (sha: string) => sha.slice(0, 7);

  const { stdout, status } = await site.run(["start"], "!build web PR#12\n!build web PR#13\n!build web PR#99\n").ended;
  const first = `PR#12 ${short(clean)} into main ${short(base)}`;
  const second = `PR#13 ${short(clash)} into main ${short(base)}`;
  expect(stdout).toMatch(new RegExp(`^○ web #1 queued · ${first} "adds mine"`, "m"));
  expect(stdout).toMatch(new RegExp(`^✔ web #1 passed in .* · ${first} · http`, "m"));
  expect(stdout).toMatch(
    new RegExp(`^✘ web #2 failed in .* · ${second} by docker-ci · PR#13 conflicts with main in a.go, b.go · http`, "m"),
  );
  expect(stdout).toContain("web has no pull request 99.");
  expect(status).toBe(1);

  const later = await site.run(["start"], "!log 1 40\n!log 2\n!rebuild 2\n").ended;
  expect(later.stdout).toContain(`web #1 · ${first} "adds mine"`);
  expect(later.stdout).toContain("PR 12 into main, token []");
  expect(later.stdout).toMatch(/from the pull request\n.*from its target/);
  expect(later.stdout).not.toContain("deployed");
  expect(later.stdout).not.toContain("trying once more");
  expect(later.stdout).toMatch(/^✘ web #3 failed in .* · PR#13 conflicts with main in a.go, b.go · http/m);
  expect(stdout + later.stdout).not.toContain(SECRET);
});
