/** `!pause` and `!resume`: what they hold, what is said of it meanwhile, and that it can be looked up who did. */
import { expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import type { Requester } from "../../src/builds/build.ts";
import { TRIGGER_NETWORK } from "../../src/names.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, clock, configOf, openRecords } from "../support/records.ts";
import { openTalk, WORKER } from "../support/talk.ts";
import { webDeps } from "../support/web-deps.ts";

const ADA = { trusted: true };

test("paused builds wait, and everybody who looks is told by whom", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  await records.create("hello");
  await records.create("docker");
  expect(await talk.ask("!pause hello", ADA)).toEqual([
    "hello paused: no build of it begins · 1 queued waits · !resume hello lets them go on",
  ]);
  expect(await talk.ask("!pause hello", { ...ADA, nick: "bob" })).toEqual([
    "hello is paused by ada since Sun 12:00 UTC already · 1 queued waits · !resume hello lets them go on",
  ]);
  const queue = await talk.ask("!queue");
  expect(queue[0]).toBe("hello paused by ada since Sun 12:00 UTC");
  expect(queue[1]).toContain("1. docker #2 for ada");
  expect(queue[2]).toContain("2. hello #1 for ada");
  expect(queue[2]).toContain(" · paused by ada since Sun 12:00 UTC · ");
  expect((await talk.ask("!eta 1"))[0]).toContain(" · paused by ada since Sun 12:00 UTC · ");
  expect((await talk.ask("!status"))[0]).toMatch(/^hello paused by ada since Sun 12:00 UTC · /);
  expect((await talk.ask("!status hello"))[0]).toContain(" · paused by ada since Sun 12:00 UTC · ");
  expect((await talk.ask("!build hello", ADA))[0]).toContain(" · paused by ada since Sun 12:00 UTC · ");
  expect(await talk.ask("!resume hello", ADA)).toEqual([
    "hello resumed, was paused by ada since Sun 12:00 UTC · 2 queued",
  ]);
  expect((await talk.ask("!queue"))[0]).toContain("1. hello #1 for ada");
});

test("everything can be paused, beside a project, and neither ends the other", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  expect(await talk.ask("!pause", ADA)).toEqual(["everything paused: no build of it begins · !resume lets them go on"]);
  await talk.ask("!pause hello", ADA);
  expect(await talk.ask("!queue")).toEqual([
    "nothing runs or waits · paused by ada since Sun 12:00 UTC · hello paused by ada since Sun 12:00 UTC",
  ]);
  expect(await talk.ask("!resume hello", ADA)).toEqual([
    "hello resumed, was paused by ada since Sun 12:00 UTC · everything is still paused by ada since Sun 12:00 UTC",
  ]);
  expect(await talk.ask("!resume", ADA)).toEqual(["everything resumed, was paused by ada since Sun 12:00 UTC"]);
  expect(await talk.ask("!resume", ADA)).toEqual(["nothing was paused"]);
});

test("it takes the role developer, is in the audit log, and knows no other projects", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  expect((await talk.ask("!pause hello", { nick: "mallory" }))[0]).toMatch(/^!pause takes the role developer\./);
  expect((await talk.ask("!pause helo", ADA))[0]).toMatch(/^no project "helo". Did you mean hello\?/);
  await talk.ask("!pause hello", ADA);
  await talk.ask("!resume hello", ADA);
  const entries = await createAudit(records.redis.commands, clock).latest(2);
  expect(entries.map(({ who, action, detail }) => [who, action, detail])).toEqual([
    ["ada", "resume", "hello"],
    ["ada", "pause", "hello"],
  ]);
});

test("the first page says who paused what", async () => {
  await using records = await openRecords();
  await records.builds.pauses.pause(undefined, "ada");
  const page = await createWeb(webDeps(records)).request("/");
  expect(await page.text()).toContain("paused by ada since Sun 12:00 UTC");
});

test("!queue says of each what it waits for", async () => {
  const projects = "{ hello: { repo: /r/hello, max: 1 }, docker: { repo: /r/docker, group: disk } }";
  await using records = await openRecords(configOf(`url: https://ci.example.org\nprojects: ${projects}`));
  const talk = openTalk(records);
  await records.begin(await records.create("docker"));
  await records.begin(await records.create("hello"));
  const first = await records.create("hello");
  await records.create("docker");
  expect((await talk.ask("!queue")).slice(2)).toEqual([
    expect.stringContaining(" · waits for #2 of the same project (max 1) · "),
    expect.stringContaining(" · waits for #1 of the group disk · "),
  ]);
  expect((await talk.ask(`!eta ${first.number}`))[0]).toContain(" · waits for #2 of the same project (max 1) · ");
});

test("!queue puts a person's build before a pull request, a push and a night that were asked for sooner, and says how many are before", async () => {
  await using records = await openRecords();
  const by = (name: string): Requester => ({
    name,
    displayName: name,
    network: TRIGGER_NETWORK,
    room: { network: TRIGGER_NETWORK, kind: "direct", name: "hello" },
  });
  const requestedAt = ago(60);
  await records.create("hello", { requester: by("nightly"), event: "nightly", requestedAt });
  await records.create("hello", { requester: by("push"), event: "push", requestedAt });
  await records.create("hello", { requester: by("pull request"), event: "pull_request", requestedAt });
  const talk = openTalk(records, { workers: [{ ...WORKER, slots: 1 }] });
  await records.begin(await records.create("docker"));
  expect((await talk.ask("!build hello", ADA))[0]).toContain("#5 queued");
  expect((await talk.ask("!queue")).slice(1)).toEqual([
    expect.stringMatching(/^○ 1\. hello #5 for ada · .* · waits for a free slot · /),
    expect.stringMatching(/^○ 2\. hello #3 for pull request · .* · 1 before it · /),
    "2 more · https://ci.example.org",
  ]);
  await talk.ask("!cancel 5", ADA);
  await talk.ask("!cancel 3", ADA);
  expect((await talk.ask("!queue")).slice(1)).toEqual([
    expect.stringMatching(/^○ 1\. hello #2 for push · .* · waits for a free slot · /),
    expect.stringMatching(/^○ 2\. hello #1 for nightly · .* · 1 before it · /),
  ]);
});
