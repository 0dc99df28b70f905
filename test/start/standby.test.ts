/** A second docker-ci on the same data folder: it stands by, and takes over without a request that fails or a build that is lost. */
import { writeFile } from "node:fs/promises";
import { Agent, createServer, request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAskers } from "../support/askers.ts";
import { type DockerCiProcess, openSite, type Site } from "../support/docker-ci.ts";
import { connectPerson } from "../support/irc-client.ts";
import { freePort, portOf } from "../support/loopback.ts";
import { startNgircd } from "../support/ngircd.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const CHANNEL = "#docker-dev";
/** Counts to 40 on both streams, for about six seconds. */
const COUNTING = `
steps:
  - name: count
    image: docker-ci/base
    run: for i in $(seq 1 40); do echo out $i; echo err $i >&2; sleep 0.15; done
`;

interface Release {
  readonly port: number;
  readonly url: string;
  readonly running: DockerCiProcess;
}

/** One more docker-ci in the site's folder. */
async function release(site: Site, env: Readonly<Record<string, string>> = { DOCKER_CI_STANDBY: "1" }) {
  const port = await freePort();
  const running = site.run(["start"], undefined, { ...env, PORT: String(port) });
  return { port, url: `http://127.0.0.1:${port}`, running } satisfies Release;
}

async function answering(release: Release, status: string): Promise<void> {
  await waitFor(`status ${status}`, async () => (await healthOf(release)).includes(`"status":"${status}"`), {
    timeoutMs: 30_000,
    seen: () => release.running.stdout() + release.running.stderr(),
  });
}

async function healthOf({ url }: Release): Promise<string> {
  return (await fetch(`${url}/healthz`)).text();
}

/** Sends every request to one port until it is told another, over connections that it keeps open. */
async function openGateway(first: number) {
  let port = first;
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const forwarded = request({ host: "127.0.0.1", port, method, headers, path: url, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.once("error", (error) => outgoing.writeHead(502).end(error.message));
    incoming.pipe(forwarded);
  }).listen(0, "127.0.0.1");
  await waitFor("the gateway", () => server.listening);
  return {
    port: portOf(server),
    url: `http://127.0.0.1:${portOf(server)}`,
    switchTo(next: number) {
      port = next;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

test("a gateway is switched to the second: no request fails, and the build at work goes on and passes", async () => {
  await using ircd = await startNgircd();
  await using ada = await connectPerson(ircd, "ada");
  await ada.join(CHANNEL);
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": COUNTING });
  await using site = await openSite(undefined);
  await writeFile(
    join(site.folder, "docker-ci.yml"),
    `
default_roles: [developer]
projects: { count: { repo: ${repository.path} } }
irc:
  - { name: local, host: 127.0.0.1, port: ${ircd.port}, tls: false, colours: false, channels: ["${CHANNEL}"], pace: { burst: 50, per_second: 20 } }
`,
  );
  const first = await release(site);
  await answering(first, "ok");
  await ada.hear(/:docker-ci!\S+ JOIN/);
  const second = await release(site);
  await answering(second, "standby");
  await using gateway = await openGateway(first.port);
  ada.say(CHANNEL, "!build count");
  await ada.hear(/count #1 queued/);
  const log = async () => (await fetch(`${gateway.url}/builds/1/log`)).text();
  await waitFor("line 5", async () => (await log()).includes("out 5\n"));

  // Whoever looks after it has nothing handed over.
  const ready = await fetch(`${second.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { ready: false, reason: `another docker-ci has ${join(site.folder, "data")}` },
  ]);
  expect((await fetch(`${second.url}/metrics`)).status).toBe(503);
  expect(await healthOf(first)).toContain('"status":"ok"');

  const client = openAskers(gateway.port, { host: "localhost", paths: ["/", "/builds/1", "/api/builds", "/"] });
  await waitFor("answers", () => client.answers.length > 20);
  gateway.switchTo(second.port);
  // A gateway with several processes may know better in one than in another.
  await answering(second, "taking over");
  expect((await fetch(first.url)).status).toBe(200);
  const ended = await first.running.ended;
  await answering(second, "ok");
  const after = client.answers.length;
  await waitFor("answers of the second", () => client.answers.length > after + 20);
  await client.stop();
  expect(client.answers.filter((answer) => !/^\s*[<{[]/.test(answer))).toEqual([]);

  expect([ended.status, ended.stdout]).toEqual([0, expect.stringContaining("Another docker-ci takes over.")]);
  expect(second.running.stdout()).toMatch(/standing by: another docker-ci has .*[\s\S]*taking over/);
  await ada.hear(/:ada: ✔ count #1 passed in/, 60_000);
  const lines = (await log()).split("\n");
  const numbered = Array.from({ length: 40 }, (_, index) => index + 1);
  expect(lines.filter((line) => line.startsWith("out "))).toEqual(numbered.map((n) => `out ${n}`));
  expect(lines.filter((line) => line.startsWith("err "))).toEqual(numbered.map((n) => `err ${n}`));
});

test("one that stands by takes over by itself when the other is killed, and the other one stands by then", async () => {
  await using site = await openSite(undefined);
  const first = await release(site);
  await answering(first, "ok");
  const [second, third] = [await release(site), await release(site)];
  await Promise.all([answering(second, "standby"), answering(third, "standby")]);

  await first.running.kill();
  const states = await waitFor("one of them to be up", async () => {
    const found = await Promise.all([healthOf(second), healthOf(third)]);
    return found.some((health) => health.includes('"status":"ok"')) && found;
  });
  expect(states.map((health) => /"status":"(\w+)"/.exec(health)?.[1]).sort()).toEqual(["ok", "standby"]);

  const again = await release(site);
  await answering(again, "standby");
  expect((await again.running.stop()).status).toBe(0);
});

test("without DOCKER_CI_STANDBY the second ends, and says why", async () => {
  await using site = await openSite(undefined);
  const first = await release(site, {});
  await answering(first, "ok");
  const second = await release(site, {});
  const { status, stderr } = await second.running.ended;
  expect(status).toBe(78);
  expect(stderr).toContain(`another docker-ci uses ${join(site.folder, "data")}; stop it, or set another data: folder`);
  expect(await healthOf(first)).toContain('"status":"ok"');
});
