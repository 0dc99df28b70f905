/**
 * As a new user would: both releases deployed by `dcr` with production's files, a build on IRC, and a switch to the second release,
 * and back, under people who ask the page through the gateway (O-180); what was built is still there in the next container (O-179).
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { type DcrCorner, LOCAL, openDcrCorner } from "../dcr/dcr-corner.ts";
import { openAskers } from "../support/askers.ts";
import { cleanEngine } from "../support/docker-ci.ts";
import { openHipacheProxy } from "../support/hipache-proxy.ts";
import { buildImage, IMAGE_BUILDING_MS } from "../support/image.ts";
import { connectPerson } from "../support/irc-client.ts";
import { startNgircd } from "../support/ngircd.ts";
import { startForeignRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const DOMAIN = "docker-ci.example.org";
const CHANNEL = "#docker-testing";
/** Where containers find a server of the host's. */
const bridge = async (): Promise<string> => {
  const format = "{{(index .IPAM.Config 0).Gateway}}";
  return (await promisify(execFile)("docker", ["network", "inspect", "bridge", "-f", format])).stdout.trim();
};

let image = "";
beforeAll(async () => {
  image = await buildImage();
}, IMAGE_BUILDING_MS);

let dataFolder = "";
/** What the folder, which is gone by then, was called on the Engine. */
let instance: string | undefined;
afterEach(() => cleanEngine(instance));

/** dcr/prod/docker-ci.yml but for the names that two tests must not share, and a folder of this test's in the place of /data. */
async function production(corner: DcrCorner, release: string): Promise<object> {
  const File = z.object({ "docker-ci": z.looseObject({ volumes: z.array(z.string()), env: z.array(z.string()) }) });
  const written = File.parse(parse(await readFile(join(PACKAGE_FOLDER, "dcr/prod/docker-ci.yml"), "utf8")))[
    "docker-ci"
  ];
  const volumes = written.volumes.map((volume) => volume.replaceAll("/data", dataFolder));
  const env = [...written.env, `DOCKER_CI_DATA=${dataFolder}`, `DOCKER_CI_CONFIG=${join(dataFolder, "docker-ci.yml")}`];
  return { "docker-ci": { ...written, image, release_name: corner.name(release), volumes, env } };
}

const secrets = ["WEB_USER", "WEB_IRC_PWD", "BUILDBOT_PWD", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "GPG_PASSPHRASE"];
const more = ["BACKUP_AWS_ID", "BACKUP_AWS_SECRET", "SMTP_USER", "SMTP_PWD", "EMAIL_RCP"];
const env = Object.fromEntries([...secrets, ...more].map((name) => [name, "a-value-for-it"]));

test("a build on IRC, and no failed request while the domain is switched to the next release and back", async () => {
  await using corner = await openDcrCorner();
  dataFolder = join(corner.folder, "data");
  await using ircd = await startNgircd({ alsoOn: await bridge() });
  await using ada = await connectPerson(ircd, "ada");
  await ada.join(CHANNEL);
  await using redis = await startForeignRedis([]);
  await using gateway = await openHipacheProxy(redis.url);
  const hipaches = [new URL(redis.url).host];
  await corner.write("settings.yml", { default: { daemons: [LOCAL], hipaches } });
  await corner.write("one.yml", await production(corner, "one"));
  await corner.write("two.yml", await production(corner, "two"));
  const dcr = async (...words: string[]) => {
    const { code, all } = await corner.run(words, { env });
    expect([words, code, all]).toEqual([words, 0, expect.any(String)]);
    return all;
  };
  const statusOf = async (release: string): Promise<string> => {
    const { NetworkSettings } = await corner.docker.getContainer(corner.name(release)).inspect();
    const port = NetworkSettings.Ports["8000/tcp"]?.[0]?.HostPort;
    const health = z.object({ status: z.string() });
    return health.parse(await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()).status;
  };

  expect(await dcr("one.yml", "init")).toMatch(/data made, owner 1000:1000/);
  await writeFile(
    join(dataFolder, "docker-ci.yml"),
    `url: http://${DOMAIN}
default_roles: [developer]
irc:
  - { name: local, host: ${await bridge()}, port: ${ircd.port}, tls: false, colours: false, channels: ["${CHANNEL}"] }
`,
  );
  await dcr("one.yml", "start");
  instance = (await readFile(join(dataFolder, "instance"), "utf8")).trim();
  await dcr("one.yml", "register", DOMAIN);
  await ada.hear(/:docker-ci!\S+ JOIN/);
  ada.say(CHANNEL, "!build hello");
  await ada.hear(/:ada: ✔ hello #1 passed in .* · 6 tests/, 60_000);

  const askers = openAskers(gateway.port, { host: DOMAIN, paths: ["/", "/builds/1", "/api/builds"] });
  await waitFor("answers", () => askers.answers.length > 20);
  await dcr("two.yml", "switch", DOMAIN, "--watch", "1s");
  expect(await statusOf("two")).toBe("ok");
  await ada.hear(/:docker-ci!\S+ QUIT/);
  await ada.hear(/:docker-ci!\S+ JOIN/);
  ada.say(CHANNEL, "!status");
  await ada.hear(/:ada: nothing runs or waits/);
  ada.say(CHANNEL, "!last hello");
  await ada.hear(/:ada: ✔ hello #1 passed in/);

  // The Engine has started the first one again, which stands by, and where it was.
  await waitFor("the first one to stand by", async () => (await statusOf("one")) === "standby");
  expect(await dcr("two.yml", "rollback", DOMAIN)).toContain(`rolled back to ${corner.name("one")}`);
  expect(await statusOf("one")).toBe("ok");
  await waitFor("the second one to stand by", async () => (await statusOf("two")) === "standby");
  await ada.hear(/:docker-ci!\S+ JOIN/);
  ada.say(CHANNEL, "!status");
  await ada.hear(/:ada: nothing runs or waits/);

  const soFar = askers.answers.length;
  await waitFor("answers of the first one", () => askers.answers.length > soFar + 20);
  await askers.stop();
  expect(askers.answers.filter((answer) => !/^\s*[<{[]/.test(answer))).toEqual([]);
}, 120_000);
