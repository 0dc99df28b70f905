/** A release by the whole program: asked for and approved in Slack, told on IRC, and its files as anybody would check them. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { openGpg } from "../support/gpg-home.ts";
import { connectPerson } from "../support/irc-client.ts";
import { startNgircd } from "../support/ngircd.ts";
import { commitFiles } from "../support/repository.ts";
import { S3_KEY, startS3 } from "../support/s3-server.ts";
import { startSlack, TOKENS } from "../support/slack-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const run = promisify(execFile);
const CHANNEL = "#docker-dev";
const PIPELINE = `
steps:
  - name: binary
    image: docker-ci/base
    run: [mkdir -p dist/linux-amd64, "echo the tool > dist/linux-amd64/tool", "echo its words > dist/README"]
    artifacts: [dist/**]
  - { name: tests, image: docker-ci/base, run: test ! -e broken }
`;
const PUBLISHED_MS = 25_000;

describe("a release", () => {
  test("is published when somebody else approved it: what anybody downloads has the sums and the signature", async () => {
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE });
    await using ircd = await startNgircd();
    await using slack = await startSlack();
    await using s3 = await startS3({ buckets: ["releases"] });
    await using gpg = await openGpg();
    await using keys = await temporaryFolder();
    await writeFile(join(keys.path, "key.asc"), await gpg.privateKey());
    await using ada = await connectPerson(ircd, "ada");
    await ada.join(CHANNEL);
    await using site = await openSite(`
deployment: staging
irc: [{ name: libera, host: 127.0.0.1, port: ${ircd.port}, tls: false, colours: false, channels: ["${CHANNEL}"], pace: { burst: 50, per_second: 20 } }]
slack: [{ name: work, bot_token: ${TOKENS.bot}, app_token: ${TOKENS.app}, api_url: "${slack.apiUrl}", channels: [C1] }]
notify: { rooms: ["libera/${CHANNEL}"] }
people:
  ada: { slack: [work/U1], roles: [developer, approver] }
  bob: { slack: [work/U2], roles: [approver] }
  dan: { slack: [work/U3], roles: [approver] }
projects: { tool: { repo: ${repository.path} } }
releases:
  tool:
    bucket: releases
    endpoint: ${s3.endpoint}
    access_key: ${S3_KEY.accessKey}
    secret_key: ${S3_KEY.secretKey}
    gpg_key: ${join(keys.path, "key.asc")}
    checksums: md5
    latest_files: "{project}/{file}"
    smoke_test: [{ name: words, image: docker-ci/base, run: 'grep "$DOCKER_CI_PROJECT" /release/tool' }]
`);
    await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);
    const shows = (pattern: RegExp) =>
      waitFor(`Slack to show ${pattern}`, () => slack.shown().find((text) => pattern.test(text)), {
        timeoutMs: PUBLISHED_MS,
        seen: () => slack.shown().join("\n---\n"),
      });
    await waitFor("the bot to be in Slack", async () => {
      const health: unknown = await (await fetch(`${site.url}/healthz`)).json();
      return typeof health === "object" && health !== null && "work" in health && health.work === "connected";
    });

    slack.say("U1", "C1", "!release tool 1.0.0");
    await shows(/R1/);
    slack.say("U1", "C1", "!approve R1");
    await shows(/you asked for R1/);
    slack.say("U2", "C1", "!approve R1");
    await ada.hear(/PRIVMSG #docker-dev :✔ R1 tool 1\.0\.0 published · 2 files/, PUBLISHED_MS);
    await shows(/✔.*R1 tool 1\.0\.0/s);

    expect((await s3.read("releases", "tool/latest"))?.toString()).toBe("1.0.0\n");
    expect((await s3.read("releases", ".docker-ci-owner"))?.toString()).toBe("staging");
    // As somebody who downloads it: https://www.gnupg.org/gph/en/manual/x135.html
    await using download = await temporaryFolder();
    for (const { key } of s3.objects("releases")) {
      if (!key.startsWith("tool/1.0.0/")) continue;
      const file = join(download.path, key.slice("tool/1.0.0/".length));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, (await s3.read("releases", key)) ?? "");
    }
    await run("sha256sum", ["-c", "SHA256SUMS"], { cwd: download.path });
    const path = (name: string) => join(download.path, name);
    expect(await gpg.verify(path("key.asc"), path("SHA256SUMS.asc"), path("SHA256SUMS"))).toContain(gpg.fingerprint);

    slack.say("U1", "C1", "!verify tool 1.0.0");
    await shows(/tool 1\.0\.0.*(sums and signature|as signed|verified|as it was signed)/s);
    const page = await (await fetch(`${site.url}/releases/R1`)).text();
    expect(page).toContain("published");

    const md5 = await run("md5sum", ["-c", "tool.md5"], { cwd: download.path });
    expect(md5.stdout).toBe("tool: OK\n");
    expect((await s3.read("releases", "tool/tool"))?.toString()).toBe("the tool\n");
    expect(await (await fetch(`${site.url}/releases/R1/log`)).text()).toContain("the tool\n");

    // Tests that fail stop a release; without them it takes one approval more (O-92).
    await commitFiles(repository.path, { broken: "", Release: "1.1.0" });
    slack.say("U1", "C1", "!release tool 1.1.0 --skip-tests");
    await shows(/R2 tool 1\.1\.0.*tests skipped/s);
    slack.say("U2", "C1", "!approve R2");
    await shows(/R2.*1 of 2/s);
    slack.say("U3", "C1", "!approve R2");
    await ada.hear(/PRIVMSG #docker-dev :✔ R2 tool 1\.1\.0 published · tests skipped · 2 files/, PUBLISHED_MS);
    expect((await s3.read("releases", "tool/1.1.0/manifest.json"))?.toString()).toContain('"testsSkipped": true');

    // The production docker-ci may not write where this one does.
    await using production = await openSite(`
deployment: production
projects: { tool: { repo: ${repository.path} } }
releases:
  tool: { bucket: releases, endpoint: "${s3.endpoint}", access_key: ${S3_KEY.accessKey}, secret_key: ${S3_KEY.secretKey} }
`);
    const refused = await production.run(["start"]).ended;
    expect(refused.status).toBe(78);
    expect(refused.stderr).toContain("s3://releases belongs to the staging docker-ci; this is production");
  });
});
