/** A team on IRC: what they type and what they read. A real ngircd, a real engine, docker-ci as a process. */
import Docker from "dockerode";
import { describe, expect, test } from "vitest";
import { openSite, type Site } from "../support/docker-ci.ts";
import { connectPerson } from "../support/irc-client.ts";
import { type Ngircd, startNgircd } from "../support/ngircd.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const CHANNEL = "#docker-dev";

/** A site on that server. `extra` goes to the top level of the configuration. */
async function siteOn(ircd: Ngircd, extra = "default_roles: [developer]"): Promise<Site> {
  return openSite(`
${extra}
irc:
  - { name: local, host: 127.0.0.1, port: ${ircd.port}, tls: false, nick: docker-ci, colours: false, channels: ["${CHANNEL}"], pace: { burst: 50, per_second: 20 } }
`);
}

async function adaIn(ircd: Ngircd) {
  const ada = await connectPerson(ircd, "ada");
  await ada.join(CHANNEL);
  return ada;
}

describe("on IRC", () => {
  test("!build hello is accepted and answered where it was asked, by name and with a link that works", async () => {
    await using ircd = await startNgircd();
    await using ada = await adaIn(ircd);
    await using site = await siteOn(ircd);
    await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);

    ada.say(CHANNEL, "!build hello");
    await ada.hear(
      /:ada: ○ hello #1 queued · main [0-9a-f]{7} "hello: an example project" · next in line · no earlier build to tell the time from · http/,
    );
    const result = await ada.hear(/:ada: ✔ hello #1 passed in/, 60_000);

    const link = /http\S+$/.exec(result)?.[0] ?? "";
    expect(link).toBe(`${site.url}/builds/1`);
    expect(await (await fetch(link)).text()).toContain("<title>✔ hello #1</title>");
    const log = await (await fetch(`${link}/log`)).text();
    expect(log).toContain("ℹ tests 6\n");
    expect(log).toMatch(/── step tests passed in [\d.]+s\n── passed in /);

    ada.say(CHANNEL, "docker-ci: last hello");
    await ada.hear(/:ada: ✔ hello #1 passed in/);
    ada.say(CHANNEL, "!log 1 /tests 6/");
    await ada.hear(/:ada: hello #1 lines (\d+) to \1 · http/);
    await ada.hear(/ℹ tests 6/);
    ada.say(CHANNEL, "!status");
    await ada.hear(/:ada: nothing runs or waits · broken: none · http/);
    ada.say(CHANNEL, "!workers");
    await ada.hear(/:ada: \S+: 0 of 2 slots in use · idle · .*Docker 2\d/);
  });

  // O-70, O-174: roles; nobody does anything by being there
  test("strangers may ask, not act, and are told how to get the right", async () => {
    await using ircd = await startNgircd();
    await using ada = await adaIn(ircd);
    await using site = await siteOn(ircd, "");
    await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);

    ada.say(CHANNEL, "!status");
    await ada.hear(/:ada: nothing runs or waits/);
    ada.say(CHANNEL, "!build hello");
    await ada.hear(
      /:ada: !build takes the role developer\. I do not know you: log in to services \(\/msg NickServ IDENTIFY\), then ask an admin to add "local\/<your account>"/,
    );
    // O-76: done to the bot, and not said
    ada.say(CHANNEL, "\x01ACTION pokes docker-ci\x01");
    await ada.hear(/:ada: ○ at your service; nothing has been built yet · !status says what runs/);
    ada.say(CHANNEL, "!whoami");
    await ada.hear(/:ada: you are not logged in to services, and a nick alone proves nothing/);
  });

  test("a running build is cancelled within ten seconds, its container gone, and said so", async () => {
    await using ircd = await startNgircd();
    await using ada = await adaIn(ircd);
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, {
      ".docker-ci.yml": "steps:\n  - { name: wait, image: docker-ci/base, run: [echo waiting, sleep 300] }\n",
    });
    await using site = await siteOn(
      ircd,
      `default_roles: [developer]\nprojects: { slow: { repo: ${repository.path} } }`,
    );
    await site.start();
    await ada.hear(/:docker-ci!\S+ JOIN/);

    ada.say(CHANNEL, "!build slow");
    await ada.hear(/slow #1 queued/);
    await waitFor("the step to run", async () =>
      (await (await fetch(`${site.url}/builds/1/log`)).text()).includes("\nwaiting\n"),
    );
    const asked = Date.now();
    ada.say(CHANNEL, "!cancel 1 don't need it any more");
    await ada.hear(/:ada: ● stopping slow #1/);
    await ada.hear(/:ada: ■ slow #1 cancelled by ada: don't need it any more/, 15_000);

    expect(Date.now() - asked).toBeLessThan(10_000);
    const label = [`docker-ci.instance=${await site.instance()}`];
    await waitFor(
      "the container to be gone",
      async () => (await new Docker().listContainers({ all: true, filters: { label } })).length === 0,
    );
  });
});
