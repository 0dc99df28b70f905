/**
 * kill -9 at moments drawn by chance, over and over: what was accepted ends and is said, and no log has a line twice or lacks
 * one. DOCKER_CI_KILLS is how often (`npm run test:kills` asks for 25); the suite does three.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { connectPerson } from "../support/irc-client.ts";
import { startNgircd } from "../support/ngircd.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const KILLS = Number(process.env.DOCKER_CI_KILLS ?? 3);
const CHANNEL = "#docker-dev";
const PIPELINE = `
steps:
  - { name: image, build: . }
  - name: count
    run: for i in $(seq 1 20); do echo line $i; sleep 0.05; done
`;

test("killed at any moment, it finishes what it accepted", { timeout: 60_000 + KILLS * 40_000 }, async () => {
  await using ircd = await startNgircd();
  await using ada = await connectPerson(ircd, "ada");
  await ada.join(CHANNEL);
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE, Dockerfile: "FROM docker-ci/base\n" });
  await using site = await openSite(`
default_roles: [developer]
projects: { count: { repo: ${repository.path} } }
irc: [{ name: local, host: 127.0.0.1, port: ${ircd.port}, tls: false, colours: false, channels: ["${CHANNEL}"], pace: { burst: 50, per_second: 20 } }]
`);
  let running = await site.start();
  await ada.hear(/:docker-ci!\S+ JOIN/);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    // From before the answer to past the end of the build.
    const afterMs = Math.round(Math.random() * 2_500);
    ada.say(CHANNEL, "!build count");
    const acceptance = ada.hear(/:ada: ○ count #\d+ queued/, 4_000).catch(() => undefined);
    await sleep(afterMs);
    await running.kill();
    const accepted = /#(\d+)/.exec((await Promise.race([acceptance, sleep(100)])) ?? "")?.[1];
    running = await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);
    if (accepted === undefined) continue;
    const said = new RegExp(`:ada: ✔ count #${accepted} passed in`);
    if (!ada.lines.some((line) => said.test(line))) {
      await ada.hear(said, 45_000).catch((error: unknown) => {
        throw new Error(`killed ${afterMs} ms after the command`, { cause: error });
      });
    }
    const log = await (await fetch(`${site.url}/builds/${accepted}/log`)).text();
    const lines = log.match(/^line \d+$/gm) ?? [];
    expect([afterMs, ...lines]).toEqual([afterMs, ...Array.from({ length: 20 }, (_, index) => `line ${index + 1}`)]);
  }
});
