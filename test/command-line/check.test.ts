/** `docker-ci check`: a table of what works, and what to do about the rest. */
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { freePort } from "../support/irc-server.ts";
import { startNgircd } from "../support/ngircd.ts";
import { startSlack, TOKENS } from "../support/slack-server.ts";
import { startSmtp } from "../support/smtp-server.ts";

test("everything that is configured is tried, and what works is told", { timeout: 90_000 }, async () => {
  await using ircd = await startNgircd();
  await using slack = await startSlack();
  await using smtp = await startSmtp();
  await using site = await openSite(`
irc: [{ name: libera, host: 127.0.0.1, port: ${ircd.port}, tls: false, channels: ["#docker-dev"] }]
slack: [{ name: work, bot_token: ${TOKENS.bot}, app_token: ${TOKENS.app}, api_url: "${slack.apiUrl}", channels: [C1] }]
web: { user: ada, password: s3cret, tokens: { deploy: a-token-of-some-length } }
mail: { host: 127.0.0.1, port: ${smtp.port}, user: ci, password: s3cret, ca: ${smtp.caFile}, from: ci@example.org, to: [ops@example.org] }
`);
  const { stdout, status } = await site.run(["check"]).ended;
  expect(stdout.split("\n").map((line) => line.replace(/\s{2,}/g, "  "))).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^✔ configuration {2}.*docker-ci\.yml$/),
      expect.stringMatching(/^✔ redis \(embedded\) {2}Redis \d/),
      "✔ login  ada; tokens of deploy",
      expect.stringMatching(/^✔ engine {2}Docker \d+.*builds with buildkit$/),
      expect.stringMatching(/^✔ project hello {2}.*main is at [0-9a-f]{7}$/),
      expect.stringMatching(/^✔ irc libera {2}127\.0\.0\.1:\d+, in #docker-dev$/),
      expect.stringMatching(/^✔ slack work {2}docker-ci in .*in 1 channel$/),
      expect.stringMatching(/^✔ mail {2}127\.0\.0\.1:\d+, to ops@example\.org$/),
      "Everything that is configured works.",
    ]),
  );
  expect(status).toBe(0);
});

test("what does not work is told with its reason, beside what does, and the status is 1", {
  timeout: 90_000,
}, async () => {
  await using slack = await startSlack();
  const nobody = await freePort();
  await using site = await openSite(`
slack: [{ name: work, bot_token: xoxb-wrong, app_token: ${TOKENS.app}, api_url: "${slack.apiUrl}" }]
mail: { host: 127.0.0.1, port: ${nobody}, tls: off, from: ci@example.org, to: [ops@example.org] }
engine: unix:///nowhere/docker.sock
projects: { p: { repo: /nowhere/at/all } }
`);
  const { stdout, status } = await site.run(["check"]).ended;
  expect(stdout).toMatch(/^✔ redis \(embedded\)/m);
  expect(stdout).toMatch(/^✔ login +nobody can, so the page only shows; web: has the keys$/m);
  expect(stdout).toMatch(/^✘ engine +the Docker Engine at unix:\/\/\/nowhere\/docker\.sock does not answer/m);
  expect(stdout).toMatch(/^✘ slack work +bot_token: .*$/m);
  expect(stdout).toMatch(/^✘ mail +127\.0\.0\.1:\d+ does not take mail now \(connect ECONNREFUSED/m);
  expect(stdout).toMatch(/^3 things do not work\.$/m);
  expect(status).toBe(1);
});
