/**
 * kill -9 in the milliseconds around the acknowledgement of what was said in Slack, and later: each command has its effect once
 * and is answered. DOCKER_CI_KILLS is how often; the suite does three.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { createBuildStore } from "../../src/builds/store.ts";
import { openSite, type Site } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { type Slack, startSlack, TOKENS } from "../support/slack-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const KILLS = Number(process.env.DOCKER_CI_KILLS ?? 3);
const PASSES = "steps: [{ name: tests, image: docker-ci/base, run: 'echo fine' }]\n";

/** As long after an acknowledgement as it takes to journal, to look up, to fetch a revision, or to build. */
function moment(): number {
  const most = [0, 5, 30, 400, 2_500][Math.floor(Math.random() * 5)] ?? 0;
  return Math.round(Math.random() * most);
}

/** Which build every command got, by the parameter it was given. */
async function builtFor(site: Site): Promise<Map<string, { readonly number: number; readonly state: string }[]>> {
  const redis = new Redis({ path: join(site.folder, "data", "redis", "redis.sock") });
  try {
    const found = new Map<string, { readonly number: number; readonly state: string }[]>();
    for (const { number, state, params } of await createBuildStore(redis).latest(10_000)) {
      const name = params.N ?? "";
      found.set(name, [...(found.get(name) ?? []), { number, state: state.kind }]);
    }
    return found;
  } finally {
    redis.disconnect();
  }
}

/** Says five things at once; gives what they are known by. */
function speak(slack: Slack, kill: number): { builds: string[]; slash: string; thread: string } {
  slack.say("U1", "C1", `!build web main N=${kill}-said`);
  slack.mention("U2", "C1", `build web main N=${kill}-mentioned`);
  slack.say("U1", "D1", `build web main N=${kill}-private`);
  const thread = slack.say("U2", "C1", "what do we run?");
  slack.say("U2", "C1", "!version", { thread });
  slack.slash("U1", "C1", `build web main N=${kill}-slash`);
  const builds = [`${kill}-said`, `${kill}-mentioned`, `${kill}-private`];
  return { builds, slash: `${kill}-slash`, thread };
}

test("killed at any moment, it does once and answers what was said in Slack", {
  timeout: 60_000 + KILLS * 60_000,
}, async () => {
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": PASSES });
  await using slack = await startSlack();
  await using site = await openSite(`
default_roles: [developer]
people: { ada: { slack: work/U1, roles: developer } }
slack: [{ name: work, bot_token: ${TOKENS.bot}, app_token: ${TOKENS.app}, api_url: "${slack.apiUrl}", channels: [C1] }]
projects: { web: { repo: ${repository.path} } }
`);
  const connected = () => waitFor("the bot in Slack", () => slack.sockets.isOpen);
  let running = await site.start();
  await connected();
  const asked: string[] = [];
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const before = slack.sockets.envelopes.size;
    const { builds, slash, thread } = speak(slack, kill);
    const said = [...slack.sockets.envelopes.values()].slice(before);
    const witness = said[Math.floor(Math.random() * said.length)];
    await waitFor("an acknowledgement", () => witness?.ackedAt !== undefined, { everyMs: 1 });
    const afterMs = moment();
    await sleep(afterMs);
    await running.kill();
    const when = `kill ${kill}, ${afterMs} ms after an acknowledgement`;
    running = await site.start();
    await connected();
    // Slack does not repeat a slash command; who gave it sees that it did not work.
    const taken = said.find(({ type }) => type === "slash_commands")?.ackedAt !== undefined;
    const wanted = taken ? [...builds, slash] : builds;
    asked.push(...wanted);
    const seen = async (): Promise<string> =>
      `${when}: ${JSON.stringify([...(await builtFor(site))])}\n${[...slack.shown(), ...slack.shown("D1")].join("\n")}`;
    await waitFor(
      `${when}: builds`,
      async () => {
        const built = await builtFor(site);
        return wanted.every((name) => built.get(name)?.every(({ state }) => state === "passed") === true);
      },
      { timeoutMs: 50_000, everyMs: 200 },
    ).catch(async (error: unknown) => {
      throw new Error(await seen(), { cause: error });
    });
    await waitFor(`${when}: the answer to a question`, () => slack.thread(thread).some(({ user }) => user === "UBOT"));
  }

  // All that Slack delivers again has come, and did nothing.
  await waitFor(
    "quiet",
    () => {
      const last = [...slack.sockets.envelopes.values()].findLast(({ ackedAt }) => ackedAt === undefined);
      return last === undefined || performance.now() - last.sentAt > 4_000;
    },
    { timeoutMs: 20_000 },
  );
  const built = await builtFor(site);
  const counts = new Map([...built].map(([name, builds]) => [name, builds.length]));
  for (const name of asked) expect([name, counts.get(name)]).toEqual([name, 1]);
  expect(Math.max(...counts.values())).toBe(1);
  const shown = ["C1", "D1"].flatMap((channel) => slack.shown(channel)).join("\n");
  for (const name of asked) expect(shown).toMatch(new RegExp(`web #${built.get(name)?.[0]?.number}\\b`));
});
