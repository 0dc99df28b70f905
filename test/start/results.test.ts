/** Builds whose results say more than passed or failed, by the whole program on a real engine. */
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SECRET = "hunter2-hunter2";
const REPORT = `<testsuite name="upload"><testcase classname="upload" name="stores a blob"/>
<testcase classname="upload" name="retries"><failure message="expected 201, got 500 with $TOKEN"/></testcase></testsuite>`;

/** Fails in its first container and passes in its second: the cache outlives both. */
const UNSTEADY = `steps:
  - name: tests
    image: docker-ci/base
    cache: /kept
    tests: report.xml
    retry_failed: 1
    run: |
      cat > report.xml <<END
      ${REPORT.replaceAll("\n", "\n      ")}
      END
      test -e /kept/tried && sed -i '/failure/s/<failure[^>]*>//' report.xml && exit 0
      touch /kept/tried; exit 1
`;

const BROKEN = `steps:
  - name: tests
    image: docker-ci/base
    tests: report.xml
    run: |
      echo "the token is $TOKEN, in base64 $(printf %s "$TOKEN" | base64)"
      cat > report.xml <<END
      ${REPORT.replaceAll("\n", "\n      ")}
      END
      exit 1
`;

test("a test that passes only when it is run again is named and ranked, never silently green", async () => {
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": UNSTEADY });
  await using site = await openSite(`projects: { web: { repo: ${repository.path}, network: none } }\n`);
  const { stdout, status } = await site.run(["start"], "!build web\n").ended;
  expect(stdout).toMatch(/^✔ web #1 passed in .* · 2 tests · 1 flaky: retries · http/m);
  expect(status).toBe(0);

  const later = await site.run(["start"], "!flaky web\n!log 1 /again/\n").ended;
  expect(later.stdout).toMatch(/^web: 1 test changed its mind at one revision in 30 days/m);
  expect(later.stdout).toMatch(/retries .*last #1/);
});

test("a secret is hidden in the result, in the explanation, in the log and in the commands that repeat it", async () => {
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": BROKEN });
  await using site = await openSite(
    `projects: { web: { repo: ${repository.path}, network: none, secrets: { TOKEN: ${SECRET} } } }\n`,
  );
  const { stdout, status } = await site.run(["start"], "!build web\n").ended;
  expect(stdout).toMatch(/^✘ web #1 failed in .* · 1 of 2 tests: retries · http/m);
  expect(status).toBe(1);

  const later = await site.run(["start"], "!why 1\n!tests 1\n!log 1 /token/\n!repro 1\n").ended;
  expect(later.stdout).toContain("retries (upload): expected 201, got 500 with ***");
  expect(later.stdout).toContain("the token is ***, in base64 ***");
  expect(later.stdout).toMatch(/repeated with git and docker · to be exported before, as they are not told: TOKEN/);
  expect(stdout + later.stdout).not.toContain(SECRET);
  expect(stdout + later.stdout).not.toContain(Buffer.from(SECRET).toString("base64").slice(0, 12));
});
