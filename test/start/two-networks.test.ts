/** One team on IRC and in Slack at once: the same builds, the same people, a claim and a cancel from the other side. */
import { describe, expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { connectPerson } from "../support/irc-client.ts";
import { startNgircd } from "../support/ngircd.ts";
import { commitFiles } from "../support/repository.ts";
import { type Slack, startSlack, TOKENS } from "../support/slack-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const CHANNEL = "#docker-dev";
const PASSES = "steps: [{ name: tests, image: docker-ci/base, run: 'echo fine' }]\n";
const FAILS = "steps: [{ name: tests, image: docker-ci/base, run: 'echo broken; exit 1' }]\n";
const WAITS = "steps: [{ name: tests, image: docker-ci/base, run: [echo waiting, sleep 300] }]\n";

/** Both servers, a person on IRC, and docker-ci between them, with two projects by configuration alone (O-25). */
async function openTeam() {
  const repository = await temporaryFolder();
  const slow = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": PASSES });
  await commitFiles(slow.path, { ".docker-ci.yml": WAITS });
  const ircd = await startNgircd();
  const slack = await startSlack();
  const ada = await connectPerson(ircd, "ada");
  await ada.join(CHANNEL);
  const site = await openSite(`
default_roles: [developer]
irc: [{ name: libera, host: 127.0.0.1, port: ${ircd.port}, tls: false, colours: false, channels: ["${CHANNEL}"], pace: { burst: 50, per_second: 20 } }]
slack: [{ name: work, bot_token: ${TOKENS.bot}, app_token: ${TOKENS.app}, api_url: "${slack.apiUrl}", channels: [C1] }]
notify: { rooms: ["libera/${CHANNEL}", "work/C1"] }
projects:
  web: { repo: ${repository.path} }
  slow: { repo: ${slow.path} }
`);
  await site.start();
  await ada.hear(/:docker-ci!\S+ JOIN/);
  await waitFor("the bot to be in Slack", async () => {
    const health: unknown = await (await fetch(`${site.url}/healthz`)).json();
    return typeof health === "object" && health !== null && "work" in health && health.work === "connected";
  });
  return {
    slack,
    ada,
    site,
    commit: (text: string) => commitFiles(repository.path, { ".docker-ci.yml": text }),
    async [Symbol.asyncDispose]() {
      for (const thing of [site, ada, slack, ircd, repository, slow]) await thing[Symbol.asyncDispose]();
    },
  };
}

function shows(slack: Slack, pattern: RegExp): Promise<string> {
  return waitFor(`Slack to show ${pattern}`, () => slack.shown().find((text) => pattern.test(text)), {
    timeoutMs: 30_000,
    seen: () => slack.shown().join("\n---\n"),
  });
}

// O-70: several networks at once
describe("one team on two networks", () => {
  test("a build asked for in Slack is one message that becomes its result; what broke is told on IRC, and a claim there shows here", async () => {
    await using team = await openTeam();
    const { slack, ada } = team;
    slack.say("U1", "C1", "!build web");
    await shows(slack, /✔.*web #1 passed/s);
    expect(slack.messages().filter(({ user, shown }) => user === "UBOT" && shown.includes("web #1"))).toHaveLength(1);

    await team.commit(FAILS);
    slack.mention("U1", "C1", "build web");
    await shows(slack, /✘.*web #2 failed/s);
    await ada.hear(/PRIVMSG #docker-dev :✘ web #2 failed in .* · step tests, exit 1: .* · http/, 30_000);
    await ada.hear(/was good at #1 · suspects: d\u200docker-ci [0-9a-f]{7} "a change" · !why 2 · !claim web/);

    ada.say(CHANNEL, "!claim web");
    await ada.hear(/:ada: ada has web \(broken for .* since #2\)/);
    await waitFor("the claim in Slack", () =>
      JSON.stringify([...slack.workspace.channels.values()]).includes("ada has web"),
    );

    await team.commit(PASSES);
    ada.say(CHANNEL, "!build web");
    await ada.hear(/:ada: ✔ web #3 passed/, 30_000);
    await waitFor("Slack to hear that it is mended", () =>
      JSON.stringify([...slack.workspace.channels.values()]).includes("web fixed by #3"),
    );
  });

  test("a build asked for on IRC is cancelled from Slack, and both learn how it ended", async () => {
    await using team = await openTeam();
    const { slack, ada, site } = team;
    ada.say(CHANNEL, "!build slow");
    await ada.hear(/:ada: ○ slow #1 queued/);
    await waitFor("the step to run", async () =>
      (await (await fetch(`${site.url}/builds/1/log`)).text()).includes("\nwaiting\n"),
    );
    slack.slash("U1", "C1", "cancel 1 not needed");
    await ada.hear(/:ada: ■ slow #1 cancelled by .*: not needed/, 20_000);
  });
});
