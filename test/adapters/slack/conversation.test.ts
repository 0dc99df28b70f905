/** People in Slack talking to docker-ci, with the real dispatcher behind the adapter. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineCommand } from "../../../src/chat/command.ts";
import { type Reply, say } from "../../../src/chat/reply.ts";
import { UserError } from "../../../src/errors.ts";
import { CONFIG, configOf, openRecords, type Records } from "../../support/records.ts";
import { type SlackBot, startSlackBot } from "../../support/slack-bot.ts";
import { type Slack, startSlack } from "../../support/slack-server.ts";
import type { Message } from "../../support/slack-workspace.ts";
import { openTalk } from "../../support/talk.ts";
import { waitFor } from "../../support/wait-for.ts";

let slack: Slack;
let bot: SlackBot;
let records: Records;
let stops = 0;

/** `!cancel 1`, once. */
const cancel = defineCommand({
  name: "cancel",
  summary: "Stops it.",
  examples: ["!cancel 1"],
  role: "developer",
  args: z.strictObject({ build: z.string().meta({ takes: "rest" }) }),
  async run({ args }) {
    stops += 1;
    if (stops > 1) throw new UserError(`#${args.build} is over.`);
    return say("running", [`stopping hello #${args.build}`]);
  },
});
const running: Reply = {
  lines: [{ tone: "running", facts: ["hello #1 step 1"] }],
  actions: [{ label: "Cancel", command: "cancel 1", style: "danger" }],
};

beforeEach(async () => {
  stops = 0;
  slack = await startSlack();
  bot = startSlackBot(slack);
  records = await openRecords(
    configOf(`${CONFIG}
slack: [{ name: work, bot_token: xoxb-good, app_token: xapp-good }]
people:
  bob: { slack: work/U2, roles: developer }
`),
  );
  const { dispatcher } = openTalk(records, { commands: [cancel] });
  bot.chat.onMessage((message) => void dispatcher.handle(message, bot.chat));
  await bot.connected();
});
afterEach(async () => {
  await bot[Symbol.asyncDispose]();
  await slack[Symbol.asyncDispose]();
  await records[Symbol.asyncDispose]();
});

async function posted(): Promise<Message> {
  await bot.send(running);
  const [message] = slack.messages();
  if (message === undefined) throw new Error("nothing was posted");
  return message;
}

test("who presses without the right gets a private sentence, and nobody else hears of it", async () => {
  const message = await posted();
  slack.press("U1", "C1", message, "Cancel");
  const [refusal] = await waitFor(
    "the refusal",
    () => slack.workspace.ephemerals.length > 0 && slack.workspace.ephemerals,
  );
  expect(refusal).toMatchObject({
    channel: "C1",
    user: "U1",
    shown: expect.stringContaining("takes the role developer"),
  });
  expect(stops).toBe(0);
  expect(slack.messages()).toHaveLength(1);
  expect(slack.thread(message.ts)).toEqual([]);
});

test("of two presses the first is answered in the message's thread, the second privately", async () => {
  const message = await posted();
  slack.press("U2", "C1", message, "Cancel");
  slack.press("U2", "C1", message, "Cancel");
  await waitFor("both", () => slack.workspace.ephemerals.length === 1 && slack.thread(message.ts).length === 1);
  expect(slack.workspace.ephemerals[0]).toMatchObject({ user: "U2", shown: "#1 is over." });
  expect(slack.thread(message.ts)[0]?.shown).toContain("*stopping hello #1*");
});

test("a display name gives no right", async () => {
  slack.workspace.users.set("U3", "bob");
  slack.say("U3", "C1", "!cancel 1");
  await waitFor("the refusal", () => slack.shown().some((text) => text.includes("takes the role developer")));
  expect(slack.shown()[0]).toMatch(/^<@U3> /);
  expect(stops).toBe(0);
});

test("message, mention and repetitions of one text run once, and the answer goes where it was asked", async () => {
  const ts = slack.say("U1", "C1", "look");
  slack.mention("U2", "C1", "cancel 1", { thread: ts, times: 3 });
  await waitFor("the answer", () => slack.thread(ts).some(({ user }) => user === "UBOT"));
  await sleep(100);
  expect(stops).toBe(1);
  expect(slack.thread(ts).filter(({ user }) => user === "UBOT")).toHaveLength(1);
});

test("two hundred notices, with Slack killed in their midst twice, arrive once and in order", async () => {
  const texts = Array.from({ length: 200 }, (_, index) => `notice ${index}`);
  const outages = (async () => {
    for (const at of [40, 120]) {
      await waitFor("the midst", () => slack.shown().length >= at, { everyMs: 1, timeoutMs: 30_000 });
      slack.fault("chat.postMessage", { kind: "lost" });
      await slack.kill();
      await sleep(500);
      await slack.start();
    }
  })();
  for (const text of texts) {
    // As the outbox does: the same delivery again until it is proven.
    for (;;) {
      const sent = await bot.send(text, { id: text }).then(
        () => true,
        () => false,
      );
      if (sent) break;
      await sleep(20);
    }
  }
  await outages;
  expect(slack.shown()).toEqual(texts);
});

const asking: Reply = {
  lines: [{ tone: "queued", facts: ["R1 hello 1.0.0 waits for approval"] }],
  actions: [
    {
      label: "Reject…",
      command: "cancel",
      style: "danger",
      ask: { title: "Reject R1 hello 1.0.0-a-rather-long-one", label: "Why", submit: "Reject" },
    },
  ],
};

test("a button that asks opens a form; what is sent with it is said behind the command, once", async () => {
  await bot.send(asking);
  const message = slack.messages()[0];
  if (message === undefined) throw new Error("nothing was posted");
  slack.press("U2", "C1", message, "Reject…");
  await waitFor("the form", () => slack.workspace.views.length === 1);
  expect(slack.workspace.views[0]).toMatchObject({ user: "U2", title: { text: "Reject R1 hello 1.0.0-a…" } });
  expect(stops).toBe(0);
  slack.submit("<the  changelog> & all", 2);
  await waitFor("the answer in the thread", () =>
    slack.thread(message.ts).some(({ shown }) => shown.includes("stopping hello #&lt;the changelog&gt; &amp; all")),
  );
  expect(stops).toBe(1);
});

test("a form that is closed says nothing, and a form whose time was up is told to the person alone", async () => {
  await bot.send(asking);
  const message = slack.messages()[0];
  if (message === undefined) throw new Error("nothing was posted");
  slack.fault("views.open", { kind: "error", error: "expired_trigger_id" });
  slack.press("U2", "C1", message, "Reject…");
  await waitFor("the word", () =>
    slack.workspace.ephemerals.some(({ shown }) => shown.includes("press the button again")),
  );
  expect([stops, slack.workspace.views]).toEqual([0, []]);
});
