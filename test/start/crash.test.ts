/** kill -9 of the whole process, at several moments: every build that was accepted ends, and is announced. */
import { describe, expect, test } from "vitest";
import { openSite, type Site } from "../support/docker-ci.ts";
import { connectPerson } from "../support/irc-client.ts";
import { type Ngircd, startNgircd } from "../support/ngircd.ts";
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

async function siteOn(ircd: Ngircd, repository: string): Promise<Site> {
  return openSite(`
default_roles: [developer]
projects: { count: { repo: ${repository} } }
irc:
  - { name: local, host: 127.0.0.1, port: ${ircd.port}, tls: false, colours: false, channels: ["${CHANNEL}"], pace: { burst: 50, per_second: 20 } }
`);
}

async function logOf(site: Site, number: number): Promise<string> {
  return (await fetch(`${site.url}/builds/${number}/log`)).text();
}

/** The moments at which the process dies. */
const moments: readonly [string, (site: Site) => Promise<unknown>][] = [
  ["right after it accepted the build", async () => undefined],
  ["in the middle of a step", (site) => waitFor("line 5", async () => (await logOf(site, 1)).includes("out 5\n"))],
];

describe("kill -9", () => {
  test.each(moments)("%s: the next start goes on, the log is whole, and the result is said", async (_name, moment) => {
    await using ircd = await startNgircd();
    await using ada = await connectPerson(ircd, "ada");
    await ada.join(CHANNEL);
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { ".docker-ci.yml": COUNTING });
    await using site = await siteOn(ircd, repository.path);
    const first = await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);
    ada.say(CHANNEL, "!build count");
    await ada.hear(/count #1 queued/);
    await moment(site);
    await first.kill();

    await site.start();
    await ada.hear(/:ada: ✔ count #1 passed in/, 60_000);

    const lines = (await logOf(site, 1)).split("\n");
    const numbered = Array.from({ length: 40 }, (_, index) => index + 1);
    expect(lines.filter((line) => line.startsWith("out "))).toEqual(numbered.map((n) => `out ${n}`));
    expect(lines.filter((line) => line.startsWith("err "))).toEqual(numbered.map((n) => `err ${n}`));
  });

  test("while it is being stopped politely, a running build is left to the next start", async () => {
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { ".docker-ci.yml": COUNTING.replaceAll("0.15", "0.4") });
    await using ircd = await startNgircd();
    await using ada = await connectPerson(ircd, "ada");
    await ada.join(CHANNEL);
    await using site = await siteOn(ircd, repository.path);
    const first = await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);
    ada.say(CHANNEL, "!build count");
    await waitFor("line 3", async () => (await logOf(site, 1)).includes("out 3\n"));

    const stopped = Date.now();
    expect((await first.stop()).status).toBe(0);
    expect(Date.now() - stopped).toBeLessThan(10_000);
    await site.start();
    await ada.hear(/:ada: ✔ count #1 passed in/, 60_000);
    expect((await logOf(site, 1)).match(/^out \d+$/gm)).toHaveLength(40);
  });
});
