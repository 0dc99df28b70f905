/** A build that fails, and the mail about it, over a real SMTP server with STARTTLS and login (O-74); the report's subject (O-112). */
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { startSmtp } from "../support/smtp-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const pipeline = (run: string): Record<string, string> => ({
  ".docker-ci.yml": `steps: [{ name: tests, image: docker-ci/base, run: '${run}' }]\n`,
});

test("what broke is mailed with the end of its log, and that it is mended stands in the same thread", {
  timeout: 90_000,
}, async () => {
  await using smtp = await startSmtp();
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, pipeline("echo the pump is on fire; exit 1"));
  await using site = await openSite(`
projects: { pump: { repo: ${repository.path} } }
mail: { host: 127.0.0.1, port: ${smtp.port}, user: ci, password: s3cret, ca: ${smtp.caFile}, from: ci@example.org, to: [ops@example.org] }
`);
  const { stdout } = await site.run(["start"], "!build pump\n").ended;
  expect(stdout).toContain("✘ pump #1 failed");
  await commitFiles(repository.path, pipeline("echo quiet"));
  await site.run(["start"], "!build pump\n").ended;
  await site.run(["start"], "!report\n").ended;

  const [broken, fixed, report] = (await smtp.gets(3)).map(({ parsed }) => parsed);
  expect(broken?.subject).toMatch(/^\[docker-ci\] pump #1 failed/);
  expect(broken?.text).toContain("the pump is on fire");
  expect(broken?.text).toContain(`${site.url}/builds/1`);
  expect(fixed?.subject).toMatch(/pump fixed by #2/);
  expect(fixed?.text).not.toContain("quiet");
  expect(fixed?.references).toEqual(broken?.references);
  expect(report?.subject).toMatch(/^\[docker-ci\] Daily report for \d{4}-\d\d-\d\d$/);
  expect(report?.text).toMatch(/pump +2 +1 +50\s?%/);
});
