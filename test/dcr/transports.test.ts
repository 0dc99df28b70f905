/** Hosts reached through a real ssh and over TLS (O-156). */
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../support/irc-tls.ts";
import { startForeignRedis } from "../support/redis.ts";
import { openSshd, type Sshd } from "../support/sshd.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { idleApplication, openDcrCorner, webApplication } from "./dcr-corner.ts";
import { openEngineDoor } from "./engine-door.ts";

let sshd: Sshd;
let bin: Awaited<ReturnType<typeof temporaryFolder>>;
const path = process.env.PATH;

/** In the place of somebody's ssh configuration: which key, which known hosts. Each call leaves a line in `calls`. */
async function installSsh(options: string): Promise<void> {
  const port = new URL(sshd.address).port;
  await writeFile(
    join(bin.path, "ssh"),
    `#!/bin/sh\necho "$*" >> ${bin.path}/calls\nexec /usr/bin/ssh -F /dev/null -o Port=${port} -o IdentitiesOnly=yes ${options} "$@"\n`,
  );
  await chmod(join(bin.path, "ssh"), 0o755);
  await writeFile(join(bin.path, "calls"), "");
}

const trusted = () =>
  `-i ${sshd.home}/.ssh/id_ed25519 -o UserKnownHostsFile=${sshd.home}/.ssh/known_hosts -o StrictHostKeyChecking=yes`;

beforeAll(async () => {
  [sshd, bin] = await Promise.all([openSshd(), temporaryFolder()]);
  process.env.PATH = `${bin.path}:${path}`;
});

afterAll(async () => {
  process.env.PATH = path;
  await Promise.all([sshd[Symbol.asyncDispose](), bin[Symbol.asyncDispose]()]);
});

test("an Engine over ssh, as the docker command reaches it; ports are asked through ssh too, and nothing stays behind", async () => {
  await installSsh(trusted());
  await using corner = await openDcrCorner();
  const web = corner.name("web");
  await corner.write("app.yml", { web: webApplication(web, "one") });
  await corner.write("settings.yml", { default: { daemons: [sshd.address] } });
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith("dcr-"));
  const { code, output } = await corner.run(["app.yml", "start"]);
  expect([code, output]).toEqual([0, expect.stringContaining("created and started")]);
  const calls = (await readFile(join(bin.path, "calls"), "utf8")).split("\n");
  // One login serves many requests; each look at the port is one of its own.
  expect(calls.filter((call) => call.endsWith("docker system dial-stdio")).length).toBeLessThanOrEqual(2);
  expect(calls.some((call) => / -W 127\.0\.0\.1:\d+ -- 127\.0\.0\.1$/.test(call))).toBe(true);
  expect((await corner.run(["app.yml", "logs"])).output).toBe("listening \n");
  expect((await readdir(tmpdir())).filter((name) => name.startsWith("dcr-"))).toEqual(before);
});

test("host:port, as the first settings have it, and hipache's Redis, through ssh", async () => {
  await installSsh(trusted());
  await using corner = await openDcrCorner();
  await using door = await openEngineDoor();
  await using server = await startForeignRedis([]);
  await corner.write("app.yml", { web: webApplication(corner.name("web"), "one") });
  await corner.write("settings.yml", {
    default: {
      daemons: [`127.0.0.1:${door.port}`],
      hipaches: [new URL(server.url).host],
      use_ssh: true,
      ssh_user: new URL(sshd.address).username,
    },
  });
  await corner.run(["app.yml", "start"]);
  const { code } = await corner.run(["app.yml", "register", "ci.example.org"]);
  const redis = new Redis(server.url);
  const list = await redis.lrange("frontend:ci.example.org", 0, -1);
  redis.disconnect();
  expect([code, list]).toEqual([0, [corner.name("web"), expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)]]);
  expect(await readFile(join(bin.path, "calls"), "utf8")).toContain(`-W 127.0.0.1:${door.port} -- 127.0.0.1`);
});

test.each([
  [
    "an unknown key",
    () => "-i /nonexistent -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no",
    /Permission denied/,
  ],
  [
    "an unknown host",
    () => `-i ${sshd.home}/.ssh/id_ed25519 -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes`,
    /Host key verification failed/,
  ],
])("what ssh says is told: %s", async (_what, options, said) => {
  await installSsh(options());
  await using corner = await openDcrCorner();
  await corner.write("app.yml", { idle: idleApplication(corner.name("idle")) });
  await corner.write("settings.yml", { default: { daemons: [sshd.address] } });
  const { code, output } = await corner.run(["app.yml", "status"]);
  expect(code).toBe(1);
  expect(output).toMatch(/the Docker Engine at ssh:\/\/\w+@127\.0\.0\.1 does not answer/);
  expect(output).toMatch(said);
});

test("TLS with certificates of both sides; without one of ours it is refused", async () => {
  await using corner = await openDcrCorner();
  const folder = join(corner.folder, "tls");
  await mkdir(folder);
  const made = await makeCertificate(folder);
  await using door = await openEngineDoor(made);
  await corner.write("app.yml", { idle: idleApplication(corner.name("idle")) });
  const daemons = [`https://127.0.0.1:${door.port}`];
  const tls = { ca: "tls/ca.pem", cert: "tls/server.pem", key: "tls/server.key" };
  await corner.write("settings.yml", {
    default: { daemons, tls },
    bare: { daemons, tls: { ca: tls.ca } },
    unknown: { daemons, tls: { cert: tls.cert, key: tls.key } },
    missing: { daemons, tls: { ca: "tls/nowhere.pem" } },
  });
  const status = (cluster: string) => corner.run(["app.yml", "status", "--cluster", cluster]);
  expect((await status("default")).output).toContain("doesnotexist");
  for (const cluster of ["bare", "unknown"]) {
    const { code, output } = await status(cluster);
    expect([code, output]).toEqual([1, expect.stringContaining(`the Docker Engine at https://127.0.0.1:${door.port}`)]);
  }
  const missing = await status("missing");
  expect([missing.code, missing.errors]).toEqual([78, expect.stringContaining("tls/nowhere.pem")]);
});
