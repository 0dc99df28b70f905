/** A disk that builds fill: no build begins before there is room, what runs ends, and nothing that was accepted is lost. */
import { rm, rmdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { openSite, type Site } from "../support/docker-ci.ts";
import { startGivenRedis } from "../support/given-redis.ts";
import { connectPerson } from "../support/irc-client.ts";
import { startNgircd } from "../support/ngircd.ts";
import { commitFiles } from "../support/repository.ts";
import { fill, type SmallDisk, smallDisk } from "../support/small-disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const MIB = 1024 ** 2;
const CHANNEL = "#docker-dev";

/** A site whose data folder is that disk. */
async function siteOn(disk: SmallDisk, config: string): Promise<Site> {
  const site = await openSite(config);
  await rmdir(join(site.folder, "data"));
  await symlink(disk.path, join(site.folder, "data"));
  return site;
}

function configOf(port: number, repository: string, more: string): string {
  return `
worker_name: big-1
concurrency: 1
default_roles: [developer, admin]
projects: { p: { repo: ${repository} } }
notify: { rooms: ["local/${CHANNEL}"] }
irc:
  - { name: local, host: 127.0.0.1, port: ${port}, tls: false, colours: false, channels: ["${CHANNEL}"], pace: { burst: 50, per_second: 20 } }
${more}
`;
}

test("builds fill a disk until no more begin; that is said once, and with room the next go on", async () => {
  await using ircd = await startNgircd();
  await using ada = await connectPerson(ircd, "ada");
  await ada.join(CHANNEL);
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, {
    ".docker-ci.yml": `
steps:
  - name: package
    image: docker-ci/base
    run: head -c 60M /dev/urandom > package.bin
    artifacts: package.bin
`,
  });
  await using disk = await smallDisk(200);
  await using site = await siteOn(disk, configOf(ircd.port, repository.path, "retention: { free: 100m }"));
  await site.start();
  await ada.hear(/:docker-ci!\S+ JOIN/);
  for (const number of [1, 2, 3]) {
    ada.say(CHANNEL, "!build p");
    await ada.hear(new RegExp(`p #${number} queued`));
  }
  // The first leaves 140 MiB, the second 80.
  await ada.hear(
    /▲ big-1 begins no builds: \S+ MiB of 200 MiB are free on the disk of the data folder, and builds need 100 MiB · what runs goes on; !disk says/,
    30_000,
  );
  await waitFor("the second to pass", () => ada.lines.some((line) => line.includes("ada: ✔ p #2 passed")));
  // A worker tells of itself every five seconds, and later on a machine that is busy.
  await waitFor(
    "!queue to say why",
    () => {
      ada.say(CHANNEL, "!queue");
      const why = /1\. p #3 .* · big-1 takes nothing: \S+ MiB of 200 MiB are free on the disk of the data folder/;
      return ada.hear(why, 3_000);
    },
    { timeoutMs: 30_000 },
  );
  expect(await disk.freeBytes()).toBeGreaterThan(50 * MIB);
  expect((await fetch(`${site.url}/healthz`)).ok).toBe(true);

  for (const number of [1, 2]) await rm(join(disk.path, "docker-ci/artifacts", String(number)), { recursive: true });
  await ada.hear(/✔ big-1 has room on its disks again · builds begin/, 20_000);
  await ada.hear(/ada: ✔ p #3 passed/, 20_000);
  expect(ada.lines.filter((line) => line.includes("begins no builds"))).toHaveLength(1);
  ada.say(CHANNEL, "!status");
  await ada.hear(/nothing runs or waits · broken: none/);
});

/** The first build prints what its log has no room for on the disk, once that has been filled. */
const TALKING = `
steps:
  - name: package
    image: docker-ci/base
    run: |
      echo begun
      if [ "$DOCKER_CI_BUILD" = 1 ]; then sleep 3; fi
      seq -f 'line %g' 20000
`;

/** Where Redis is: in the data folder, on the disk that is full; or somewhere else, where it goes on. */
describe.each(["in the data folder", "elsewhere"])("a disk without a byte left, and Redis %s", (where) => {
  test("nothing that was accepted is lost, docker-ci stays up, and with room all of it ends", async () => {
    await using ircd = await startNgircd();
    await using ada = await connectPerson(ircd, "ada");
    await ada.join(CHANNEL);
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { ".docker-ci.yml": TALKING });
    await using disk = await smallDisk(64);
    await using folder = await temporaryFolder();
    await using redis = where === "elsewhere" ? await startGivenRedis(folder.path) : undefined;
    const more = `retention: { free: 16m }${redis === undefined ? "" : `\nredis: ${redis.url}`}`;
    await using site = await siteOn(disk, configOf(ircd.port, repository.path, more));
    const docker = await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);
    ada.say(CHANNEL, "!build p");
    await ada.hear(/p #1 queued/);
    const log = async (): Promise<string> => (await fetch(`${site.url}/builds/1/log`)).text();
    await waitFor("the step to begin", async () => (await log()).includes("begun"));
    let answer = "";
    {
      using _full = await fill(disk);
      if (redis !== undefined) await ada.hear(/big-1 begins no builds: 0 B of 64 MiB are free/, 20_000);
      // The last page of Redis' file may have room for one or two more.
      do {
        ada.say(CHANNEL, "!build p");
        const full = "▲ the disk of the data folder is full \\(0 B of 64 MiB are free\\), and Redis cannot write";
        answer = await ada.hear(new RegExp(`ada: (○ p #\\d+ queued|${full}|working on)`), 20_000);
      } while (redis === undefined && answer.includes("queued"));
      await waitFor("the log to fail", () => docker.stdout().includes("ENOSPC"), { timeoutMs: 20_000 });
    }
    // A build whose record was written just before is put in line when that can be done.
    if (answer.includes("working on")) await ada.hear(/ada: (○ p #\d+ queued|▲ )/, 20_000);
    const said = (pattern: RegExp) => ada.lines.flatMap((line) => pattern.exec(line)?.[1] ?? []).toSorted();
    // In any order: the first is taken up again when others may have begun.
    await waitFor(
      "whatever was accepted to pass",
      () => isDeepStrictEqual(said(/✔ p #(\d+) passed/), said(/○ p #(\d+) queued/)),
      {
        timeoutMs: 40_000,
        seen: () => ada.lines.slice(-8).join("\n"),
      },
    );
    ada.say(CHANNEL, "!status");
    await ada.hear(/nothing runs or waits · broken: none/);
    const lines = (await log()).split("\n").filter((line) => line.startsWith("line "));
    expect(lines).toEqual(Array.from({ length: 20_000 }, (_, index) => `line ${index + 1}`));
    expect(docker.stderr()).toBe("");
  });
});
