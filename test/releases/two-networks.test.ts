/**
 * Issue 7, the story on two networks at once: IRC with accounts and Slack, one docker-ci between them. The clock is the test's, so the
 * parts are put together here as start.ts does.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { NetworkName } from "../../src/names.ts";
import { type Outbox, startOutbox } from "../../src/queue/outbox.ts";
import { releaseEntries } from "../../src/releases/announce.ts";
import { ReleaseNumber } from "../../src/releases/release.ts";
import type { Releases, ReleasesDeps } from "../../src/releases/releases.ts";
import type { ReleaseStore } from "../../src/releases/store.ts";
import { type Inspircd, startInspircd } from "../support/inspircd.ts";
import { type Bot, startBot } from "../support/irc-bot.ts";
import { connectPerson, type Person } from "../support/irc-client.ts";
import { configOf, NOW, openRecords, type Records, revisions } from "../support/records.ts";
import { FINGERPRINT, openReleases } from "../support/releases.ts";
import { type SlackBot, startSlackBot } from "../support/slack-bot.ts";
import { type Slack, startSlack } from "../support/slack-server.ts";
import type { Message } from "../support/slack-workspace.ts";
import { openTalk } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const CHANNEL = "#docker-dev";
const LIBERA = NetworkName.parse("libera");
const CONFIG = configOf(`
url: https://ci.example.org
irc: [{ name: libera, host: 127.0.0.1, channels: ["${CHANNEL}"] }]
slack: [{ name: work, bot_token: xoxb-good, app_token: xapp-good, channels: [C1] }]
notify: { rooms: ["libera/${CHANNEL}", "work/C1"] }
people:
  ada: { irc: libera/ada, slack: work/U1, roles: [developer, approver] }
  bob: { irc: libera/bob, slack: work/U2, roles: [developer, approver] }
  dan: { slack: work/U4, roles: approver }
projects: { docker: { repo: /repositories/docker } }
releases: { docker: { bucket: get.docker.io, gpg_key: ci@example.org, approvals: 2 } }
`);

let ircd: Inspircd;
let slack: Slack;
let records: Records;
let irc: Bot;
let work: SlackBot;
let outbox: Outbox;
let ada: Person;
let bob: Person;
let releases: Releases;
let store: ReleaseStore;
let deps: ReleasesDeps;
let now = NOW;
let last = 0;

beforeAll(async () => {
  [ircd, slack, records] = await Promise.all([
    startInspircd({ accounts: { ada: "secret-ada", bob: "secret-bob" } }),
    startSlack(),
    openRecords(CONFIG),
  ]);
  slack.workspace.users.set("U4", "dan");
  const time = { now: () => now };
  ({ releases, store, deps } = openReleases(records, { key: FINGERPRINT, revisions }, time));
  const { dispatcher } = openTalk(records, { releases, time });
  irc = startBot(ircd, { name: LIBERA, channels: [{ name: CHANNEL }] });
  work = startSlackBot(slack);
  const chats = new Map([irc.chat, work.chat].map((chat) => [chat.network, chat]));
  for (const chat of chats.values()) chat.onMessage((message) => dispatcher.handle(message, chat));
  outbox = startOutbox(records.redis.commands, records.redis.open, chats, records.log, { clock: time });
  [ada, bob] = await Promise.all([person("ada"), person("bob")]);
  await Promise.all([irc.inRooms(CHANNEL), work.connected()]);
}, 30_000);

beforeEach(async () => {
  now = NOW;
  for (const open of await store.open()) {
    await store.change(open, { state: { kind: "rejected", finishedAt: NOW.toISOString(), by: "ada" } });
  }
  last = (await store.latest(1))[0]?.number ?? 0;
});

afterAll(async () => {
  for (const thing of [outbox, ada, bob, irc, work, ircd, slack, records]) await thing?.[Symbol.asyncDispose]();
});

/** Logged in to services, in the channel. */
async function person(name: string): Promise<Person> {
  const found = await connectPerson(ircd, name);
  found.say("NickServ", `IDENTIFY ${name} secret-${name}`);
  await found.hear(/ 900 /);
  await found.join(CHANNEL);
  return found;
}

/** The one message in Slack that shows the release, once it shows this. */
function card(name: string, pattern: RegExp): Promise<Message> {
  return waitFor(
    `Slack to show ${pattern}`,
    () => slack.messages().find(({ shown }) => shown.includes(`${name} docker`) && pattern.test(shown)),
    { seen: () => slack.shown().join("\n---\n") },
  );
}

function privately(pattern: RegExp): Promise<unknown> {
  return waitFor(`a word to somebody alone: ${pattern}`, () =>
    slack.workspace.ephemerals.find(({ shown }) => pattern.test(shown)),
  );
}

test("asked on IRC, approved there and in Slack; who asked and who voted before are refused on either side", async () => {
  const name = `R${last + 1}`;
  ada.say(CHANNEL, "!release docker 0.9.0");
  await ada.hear(
    new RegExp(`:ada: ○ ${name} docker 0.9.0 waits for approvals · main 0000000 "Fix CloudFront origin path"`),
  );
  await ada.hear(/to s3:\/\/get\.docker\.io\/docker\/0\.9\.0\/ · signed by E5F60718293A4B5C · needs 2 of: bob, dan/);
  await ada.hear(
    new RegExp(`asked by ada on libera · !approve ${name} or !reject ${name} <reason> until 2026-03-02 12:00 UTC`),
  );
  const plan = await card(name, /waits for approvals/);
  expect(plan.shown).toContain("[Approve] [Reject…] [What changed]");

  ada.say(CHANNEL, `!approve ${name}`);
  await ada.hear(new RegExp(`:ada: you asked for ${name}, so others must approve it\\.`));
  slack.press("U1", "C1", plan, "Approve");
  await privately(new RegExp(`you asked for ${name}, so others must approve it`));

  bob.say(CHANNEL, `!approve ${name}`);
  await ada.hear(new RegExp(`:bob: ${name}: 1 of 2 \\(bob\\)\\. One more of dan\\.`));
  await card(name, /1 of 2 \(bob on libera\)/);
  slack.press("U2", "C1", plan, "Approve");
  await privately(new RegExp(`${name} has your approval already \\(on libera\\); each person counts once`));

  slack.press("U2", "C1", plan, "What changed");
  await waitFor("the changes in the thread", () =>
    slack.thread(plan.ts).some(({ shown }) => shown.includes("the first release")),
  );

  slack.press("U4", "C1", plan, "Approve");
  await ada.hear(
    new RegExp(`PRIVMSG ${CHANNEL} :${name}: approved by b\\u200dob and dan\\.|:${name}: approved by bob and dan\\.`),
  );
  await waitFor("the answer in the thread", () =>
    slack.thread(plan.ts).some(({ shown }) => shown.includes(`${name}: approved by bob and dan`)),
  );
  const approved = await card(name, /approved by bob and dan · ▓░{8} check/);
  expect(approved.ts).toBe(plan.ts);
  expect(approved.shown).not.toContain("[Approve]");

  const release = await releases.get(ReleaseNumber.parse(last + 1));
  expect(release.votes.map(({ by, network }) => `${by} on ${network}`)).toEqual(["bob on libera", "dan on work"]);
  const state = { kind: "publishing", startedAt: NOW.toISOString(), step: "upload" } as const;
  await store.change(release, { state }, await releaseEntries(deps, { ...release, state }));
  await card(name, /▓{5}░{4} upload/);

  slack.say("U2", "C1", "!release docker 0.9.1");
  await waitFor("that there is one at a time", () =>
    slack
      .shown()
      .some((shown) =>
        shown.includes(`${name} docker 0.9.0 is being published, step upload, and a project has one at a time`),
      ),
  );
  expect(
    slack
      .messages()
      .filter(({ shown }) => shown.includes(`${name} docker 0.9.0 ·`) || shown.includes(`*${name} docker 0.9.0*`)),
  ).toHaveLength(1);
});

test("rejected in the other room, with a reason that was typed into a form", async () => {
  const name = `R${last + 1}`;
  ada.say(CHANNEL, "!release docker 0.9.0");
  const plan = await card(name, /waits for approvals/);
  slack.press("U4", "C1", plan, "Reject…");
  await waitFor("the form", () => slack.workspace.views.length > 0);
  slack.submit("the changelog is missing");
  await ada.hear(
    new RegExp(
      `■ ${name} docker 0.9.0 rejected by dan: the changelog is missing · https://ci.example.org/releases/${name}`,
    ),
  );
  expect((await card(name, /rejected by dan: the changelog is missing/)).ts).toBe(plan.ts);
  bob.say(CHANNEL, `!approve ${name}`);
  await ada.hear(new RegExp(`:bob: ${name} was rejected by dan\\.`));
});

test("a vote after the window is refused, and both rooms hear that it expired", async () => {
  const name = `R${last + 1}`;
  slack.say("U2", "C1", "!release docker 0.9.0");
  await card(name, /waits for approvals/);
  await ada.hear(new RegExp(`○ ${name} docker 0.9.0 waits for approvals`));
  now = new Date("2026-03-02T12:00:01.000Z");
  ada.say(CHANNEL, `!approve ${name}`);
  await ada.hear(
    new RegExp(
      `(:ada: ${name} expired at 2026-03-02 12:00 UTC; ask again: !release docker 0.9.0)|(■ ${name} docker 0.9.0 expired)`,
    ),
  );
  await ada.hear(
    new RegExp(
      `(:ada: ${name} expired at 2026-03-02 12:00 UTC; ask again: !release docker 0.9.0)|(■ ${name} docker 0.9.0 expired)`,
    ),
  );
  await card(name, /■ \*R\d+ docker 0\.9\.0 expired: 0 of 2 approvals came in time/);
});
