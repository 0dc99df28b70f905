/** `docker-ci check`: a table of what works, and what to do about the rest. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openS3 } from "../../adapters/s3/index.ts";
import { claimBucket } from "../../src/bucket-owner.ts";
import { openSite } from "../support/docker-ci.ts";
import { FORGE_TOKEN, type ForgeServer, startForge } from "../support/forge-server.ts";
import { openGpgHome } from "../support/gpg-home.ts";
import { freePort } from "../support/irc-server.ts";
import { startNgircd } from "../support/ngircd.ts";
import { testBucket } from "../support/s3-bucket.ts";
import { S3_KEY, startS3 } from "../support/s3-server.ts";
import { startSlack, TOKENS } from "../support/slack-server.ts";
import { startSmtp } from "../support/smtp-server.ts";

const DAY_MS = 24 * 60 * 60_000;

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

test("of a forge it is told what its token is used for, and what it lacks; of webhooks where they come in", {
  timeout: 90_000,
}, async () => {
  await using github = await startForge();
  await using gitea = await startForge("gitea");
  await using gitlab = await startForge("gitlab");
  gitea.isAdmin = false;
  const [free, listen] = [await freePort(), await freePort()];
  await using taken = createServer().listen(listen, "127.0.0.1");
  await once(taken, "listening");
  const hosted = (kind: string, { host }: ForgeServer) =>
    `{ repo: /nowhere, forge: "${kind}:${host}/distribution/distribution" }`;
  const config = (port: number) => `
engine: unix:///nowhere/docker.sock
hooks: { listen: "127.0.0.1:${port}" }
github: { token: ${FORGE_TOKEN}, api_url: "${github.url}", comment: true }
gitea: [{ token: ${FORGE_TOKEN}, url: "${gitea.url}" }]
gitlab: [{ token: ${FORGE_TOKEN}, url: "${gitlab.url}", comment: true }]
projects:
  hub: { repo: /nowhere, forge: "github:distribution/distribution" }
  tea: ${hosted("gitea", gitea)}
  lab: ${hosted("gitlab", gitlab)}
`;
  await using site = await openSite(config(free));
  const { stdout } = await site.run(["check"]).ended;
  const where = "distribution/distribution, for";
  const comments = "comments with the result on pull requests";
  for (const row of [
    `✔ github hub ${where} statuses of its commits, ${comments}`,
    `✔ gitea tea ${where} statuses of its commits, asking who may say /test`,
    "▲ gitea tea the token is no administrator's of it: nobody but distribution may say /test there",
    `✔ gitlab lab ${where} ${comments}, asking who may say /test`,
    `✔ webhooks 127.0.0.1:${free} is free; they come in there besides the page`,
  ])
    expect(stdout.replace(/ {2,}/g, " ").split("\n")).toContain(row);

  await using other = await openSite(config(listen));
  const busy = await other.run(["check"]).ended;
  expect(busy.stdout).toMatch(/^✘ webhooks +127\.0\.0\.1:\d+ cannot be used \(.*EADDRINUSE.*\); set hooks\.listen:$/m);
});

test("buckets are tried, whosever they are, and keys unlocked, with a warning before one expires (O-93, O-96, O-130)", {
  timeout: 90_000,
}, async () => {
  await using s3 = await startS3({ buckets: ["get", "a-bucket-with-a-longer-name", "backups"] });
  await using gpg = await openGpgHome();
  await using theirs = openS3(testBucket(s3, "a-bucket-with-a-longer-name"));
  await claimBucket(theirs, "production", AbortSignal.timeout(10_000));
  const exported = async (file: string, userId: string, { expires = "0", passphrase = "" } = {}): Promise<string> => {
    const fingerprint = await gpg.makeKey(userId, { passphrase, expires });
    const secret = ["--pinentry-mode", "loopback", "--passphrase", passphrase];
    await writeFile(join(gpg.path, file), await gpg.gpg([...secret, "--armor", "--export-secret-keys", fingerprint]));
    return fingerprint.slice(-16);
  };
  const lasting = await exported("lasting.asc", "docker-ci releases <ci@example.org>");
  const ending = await exported("ending.asc", "docker-ci nights <ci@example.org>", { expires: "20d" });
  const ends = new Date(Date.now() + 20 * DAY_MS).toISOString().slice(0, 10);
  await exported("locked.asc", "docker-ci others <ci@example.org>", { passphrase: "s3cret" });
  const server = `endpoint: "${s3.endpoint}", access_key: "${S3_KEY.accessKey}"`;
  const at = (bucket: string) => `bucket: ${bucket}, ${server}, secret_key: "${S3_KEY.secretKey}"`;
  const key = (file: string) => `gpg_key: ${join(gpg.path, file)}`;
  await using site = await openSite(`
deployment: staging
engine: unix:///nowhere/docker.sock
projects: { docker: { repo: /nowhere }, hello: { repo: /nowhere }, p: { repo: /nowhere }, q: { repo: /nowhere } }
releases:
  docker: { ${at("get")}, ${key("lasting.asc")}, nightly: { bucket: a-bucket-with-a-longer-name } }
  hello: { ${at("get")}, ${key("ending.asc")} }
  p: { ${at("get")}, ${key("locked.asc")}, passphrase: wrong }
  q: { ${at("gone")} }
backup: { ${at("backups")}, targets: [{ bucket: get, ${server}, secret_key: wrong }] }
`);
  const { stdout, status } = await site.run(["check"]).ended;
  // Whatever a bucket or a project is called, all that is said of it stands in one column.
  const label = "✔ bucket s3://a-bucket-with-a-longer-name ";
  for (const line of stdout.split("\n").filter((each) => /^[✔▲✘] /.test(each))) {
    expect(line.slice(label.length - 1, label.length + 1)).toMatch(/^ \S$/);
  }
  const rows = stdout.replace(/ {2,}/g, " ").split("\n");
  const expected = [
    "✔ bucket s3://get for releases of docker, releases of hello, releases of p; nobody's yet, and the next start takes it",
    "✘ bucket s3://a-bucket-with-a-longer-name s3://a-bucket-with-a-longer-name belongs to the production docker-ci; this is staging: give it a bucket of its own",
    `✘ bucket s3://gone there is no such bucket at ${s3.endpoint}; docker-ci never makes one`,
    "✔ bucket s3://backups for backups; nobody's yet, and the next start takes it",
    "✘ bucket s3://get the secret key does not fit the access key",
    `✔ key of docker ${lasting}, docker-ci releases <ci@example.org>, never expires`,
    `▲ key of hello ${ending}, docker-ci nights <ci@example.org>, expires on ${ends}, in 19d: extend it, or announce the next one`,
    `✘ key of p the passphrase does not open the signing key ${join(gpg.path, "locked.asc")}`,
    "✔ key of q none is configured, so releases have sums and no signature",
  ];
  expect(rows).toEqual(expect.arrayContaining(expected));
  expect(stdout).not.toContain(S3_KEY.secretKey);
  expect(status).toBe(1);
  // Checking leaves nothing behind.
  expect([...s3.objects("get"), ...s3.objects("backups"), ...s3.openUploads()]).toEqual([]);
});
