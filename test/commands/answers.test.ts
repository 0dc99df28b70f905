/** What the commands answer, word by word, from real records: FACE.md is where the words come from. */
import { describe, expect, test } from "vitest";
import { Build, type FinalState } from "../../src/builds/build.ts";
import type { LogLine } from "../../src/builds/log-files.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { NetworkName, ProjectName } from "../../src/names.ts";
import { ago, CONFIG, clock, configOf, openRecords, type Records, revisionOf } from "../support/records.ts";
import { openTalk, WORKER } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const TEAM = `${CONFIG}
irc: [{ name: fake, host: localhost, channels: ["#dev"] }]
people:
  ada: { irc: fake/ada, roles: [developer, admin] }
`;
const ADA = { account: "ada" };
const team = () => openRecords(configOf(TEAM));

const passed = (seconds: number): FinalState => ({ kind: "passed", startedAt: ago(seconds), finishedAt: ago(0) });
const failed = (seconds: number): FinalState => ({
  kind: "failed",
  startedAt: ago(seconds),
  finishedAt: ago(0),
  reason: "step tests, exit 1",
});
const STEPS = Build.shape.steps.parse([
  { name: "image", kind: "build", state: "passed", durationMs: 1, image: "x" },
  { name: "lint", kind: "run", state: "failed", durationMs: 1, meaning: "exit 3", allowed: true },
  { name: "tests", kind: "run", state: "failed", durationMs: 1, meaning: "exit 1" },
  { name: "publish", kind: "run", state: "skipped", durationMs: 0 },
]);
const TESTS = Build.shape.steps.element.shape.name.parse("tests");

async function ended(
  records: Records,
  project: string,
  state: FinalState,
  changes: Partial<Build> = {},
): Promise<Build> {
  return records.end(await records.begin(await records.create(project, changes)), state);
}

describe("!build", () => {
  test("answers with number, revision, place in line, expected time and link (O-22, O-51)", async () => {
    await using records = await team();
    await ended(records, "docker-registry", passed(190));
    const talk = openTalk(records);
    expect(await talk.ask("!build docker-registry", ADA)).toEqual([
      '○ docker-registry #2 queued · main 0000000 "Fix CloudFront origin path" · next in line · about 3m10s · https://ci.example.org/builds/2',
    ]);
    expect(await talk.ask("!build hello release GREETING=hi", ADA)).toEqual([
      '○ hello #3 queued · release 0000000 "Fix CloudFront origin path" · 1 before it · no earlier build to tell the time from · https://ci.example.org/builds/3',
    ]);
    const [newest] = await records.store.latest(1);
    expect(newest).toMatchObject({ params: { GREETING: "hi" }, requester: { name: "ada", room: { name: "#dev" } } });
  });

  test("says when there is nobody to work", async () => {
    await using records = await team();
    const [line] = await openTalk(records, { workers: [] }).ask("!build hello", ADA);
    expect(line).toContain(" · no worker is up · ");
  });
});

describe("!rebuild", () => {
  test("repeats a build at its revision, or only what failed of it", async () => {
    await using records = await team();
    const build = await records.begin(await records.create("hello", { params: { A: "1" } }));
    await records.end(build, failed(60), { steps: STEPS });
    const talk = openTalk(records);
    expect((await talk.ask("!rebuild #1", ADA))[0]).toMatch(/^○ hello #2 queued · main 0000000 /);
    expect((await talk.ask("!rebuild 1 failed", ADA))[0]).toMatch(/^○ hello #3 queued/);
    const [third, second] = await records.store.latest(2);
    expect([second?.rebuildOf, second?.revision, second?.params, second?.onlySteps]).toEqual([
      1,
      revisionOf("0"),
      { A: "1" },
      undefined,
    ]);
    expect(third?.onlySteps).toEqual(["lint", "tests", "publish"]);
  });

  test("has nothing to repeat of what passed or still runs", async () => {
    await using records = await team();
    await ended(records, "hello", passed(5));
    await records.begin(await records.create("hello"));
    const talk = openTalk(records);
    expect(await talk.ask("!rebuild 1 failed", ADA)).toEqual([
      "#1 has no step that failed; !rebuild 1 runs all of it.",
    ]);
    expect(await talk.ask("!rebuild 2 failed", ADA)).toEqual(["#2 is not over yet."]);
    expect(await talk.ask("!rebuild 9", ADA)).toEqual(["there is no build #9. The newest is #2."]);
  });

  test("of a project that is not configured any more is refused", async () => {
    await using records = await team();
    await ended(records, "gone", passed(5));
    expect(await openTalk(records).ask("!rebuild 1", ADA)).toEqual([
      'no project "gone". There are docker, docker-registry, hello.',
    ]);
  });
});

describe("!cancel", () => {
  test("takes a queued build out of the line, with the reason, and its end is announced", async () => {
    await using records = await team();
    const talk = openTalk(records);
    await talk.ask("!build hello", ADA);
    expect(await talk.ask("!cancel 1 superseded by 2", ADA)).toEqual(["■ hello #1 taken out of the line"]);
    expect(await talk.ask("!last hello")).toEqual([
      "■ hello #1 cancelled by ada: superseded by 2 · main 0000000 · https://ci.example.org/builds/1",
    ]);
    expect(await records.redis.commands.llen("docker-ci:outbox:room:fake/#dev")).toBe(1);
  });

  test("passes on to the worker of a running one, and says where the result goes", async () => {
    await using records = await team();
    await records.begin(await records.create("hello"));
    const heard: string[] = [];
    const subscriber = records.redis.open();
    subscriber.on("message", (_channel: string, json: string) => heard.push(json));
    await subscriber.subscribe(records.builds.cancelChannel);
    const talk = openTalk(records);
    expect(await talk.ask("!cancel 1", ADA)).toEqual(["● stopping hello #1"]);
    expect(await talk.ask("!stop 1 enough", { ...ADA, room: "#ops" })).toEqual([
      "● stopping hello #1 · the result goes to #dev, where it was asked for",
    ]);
    await waitFor("both requests", () => heard.length === 2);
    expect(
      await records.builds.cancelRequest((await records.store.latest(1))[0]?.number ?? Build.shape.number.parse(9)),
    ).toEqual({
      number: 1,
      by: "ada",
      reason: "enough",
    });
  });

  test("comes too late for what is over, and says how that ended", async () => {
    await using records = await team();
    await ended(records, "hello", passed(5));
    expect(await openTalk(records).ask("!cancel 1", ADA)).toEqual([
      "✔ hello #1 passed in 5.0s · main 0000000 · https://ci.example.org/builds/1",
    ]);
  });
});

describe("!status", () => {
  test("says when nothing is going on", async () => {
    await using records = await team();
    expect(await openTalk(records).ask("!status")).toEqual([
      "nothing runs or waits · broken: none · https://ci.example.org",
    ]);
  });

  test("says what runs and for how long, what waits behind it, and what is broken", async () => {
    await using records = await team();
    await ended(records, "docker", passed(240));
    await ended(records, "hello", passed(5));
    await ended(records, "hello", failed(4));
    await ended(records, "docker-registry", failed(72));
    await ended(records, "docker-registry", passed(171));
    await records.begin(await records.create("docker"), 65, { name: TESTS, index: 2, count: 3 });
    for (let count = 0; count < 5; count += 1) await records.create("docker-registry");
    expect(await openTalk(records).ask("!status")).toEqual([
      "● docker #6 step 2 of 3 tests · 1m05s of about 4m00s · ○ docker-registry #7 · ○ docker-registry #8 · ○ docker-registry #9 · 2 more queued · broken: hello #3 · https://ci.example.org",
    ]);
  });

  test("of one project is its latest build, in any state", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!status hello")).toEqual(["hello has not been built yet · !build hello"]);
    const build = await records.create("hello");
    expect(await talk.ask("!status hello")).toEqual(["○ hello #1 queued · https://ci.example.org/builds/1"]);
    const running = await records.begin(build, 3);
    expect(await talk.ask("!status hello")).toEqual(["● hello #1 fetching · 3.0s · https://ci.example.org/builds/1"]);
    await records.end(running, failed(62));
    expect(await talk.ask("!status hello")).toEqual([
      "✘ hello #1 failed in 1m02s · main 0000000 by bob · step tests, exit 1 · https://ci.example.org/builds/1",
    ]);
    expect(await talk.ask("!status helo")).toEqual([
      'no project "helo". Did you mean hello? There are docker, docker-registry, hello.',
    ]);
  });
});

describe("!last", () => {
  test("is the newest results, in FACE.md's order of facts", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!last")).toEqual(["there are no builds yet · https://ci.example.org"]);
    await ended(records, "hello", {
      kind: "errored",
      startedAt: ago(9),
      finishedAt: ago(0),
      reason: "image golang:1.22 cannot be pulled (no such host)",
      tries: 2,
    });
    await ended(records, "hello", { kind: "cancelled", finishedAt: ago(0), by: "bob" });
    const tag = revisionOf("3", { kind: "tag", ref: Build.shape.ref.parse("v2.1") });
    await ended(records, "docker", failed(72), { revision: tag });
    expect(await talk.ask("!last")).toEqual([
      "✘ docker #3 failed in 1m12s · v2.1 3333333 by bob · step tests, exit 1 · https://ci.example.org/builds/3",
      "■ hello #2 cancelled by bob · main 0000000 · https://ci.example.org/builds/2",
      "▲ hello #1 could not run: image golang:1.22 cannot be pulled (no such host) · tried twice, not your change · https://ci.example.org/builds/1",
    ]);
  });

  test("is three lines and a link when there are more, of all or of one project", async () => {
    await using records = await team();
    for (let count = 0; count < 5; count += 1) await ended(records, count === 0 ? "docker" : "hello", passed(4.1));
    const talk = openTalk(records);
    expect(await talk.ask("!last hello")).toEqual([
      ...[5, 4, 3].map(
        (number) => `✔ hello #${number} passed in 4.1s · main 0000000 · https://ci.example.org/builds/${number}`,
      ),
      "older ones · times of the last 4 ████ · https://ci.example.org/projects/hello",
    ]);
    expect((await talk.ask("!last")).at(-1)).toBe("older ones · https://ci.example.org");
    expect(await talk.ask("!last docker")).toHaveLength(1);
  });

  test("says which failures were allowed, and names a commit by itself", async () => {
    await using records = await team();
    const commit = revisionOf("7", { kind: "commit", ref: Build.shape.ref.parse("7777777") });
    const build = await records.begin(await records.create("hello", { revision: commit }));
    await records.end(build, passed(4.1), { steps: STEPS.slice(0, 2) });
    expect(await openTalk(records).ask("!last")).toEqual([
      "✔ hello #1 passed in 4.1s · 7777777 · allowed to fail: lint · https://ci.example.org/builds/1",
    ]);
  });
});

describe("!queue", () => {
  test("is what runs and what waits, in order, for whom, and for what", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!queue")).toEqual(["nothing runs or waits"]);
    await records.begin(await records.create("docker"), 65);
    await records.create("hello");
    expect(await talk.ask("!queue")).toEqual([
      "● docker #1 fetching · 1m05s · no earlier build to tell the time from",
      '○ 1. hello #2 for ada · main 0000000 "Fix CloudFront origin path" · waits for a free slot · no earlier build to tell the time from',
    ]);
    expect((await openTalk(records, { workers: [] }).ask("!queue"))[1]).toContain(" · waits for a worker · ");
    for (let count = 0; count < 4; count += 1) await records.create("hello");
    expect((await talk.ask("!queue")).slice(2)).toEqual([
      '○ 2. hello #3 for ada · main 0000000 "Fix CloudFront origin path" · 1 before it · no earlier build to tell the time from',
      "3 more · https://ci.example.org",
    ]);
  });

  test("says when each should begin and how long it takes, where earlier builds tell", async () => {
    await using records = await team();
    for (const seconds of [240, 240, 300]) await ended(records, "docker", passed(seconds));
    await records.begin(await records.create("docker"), 60);
    await records.create("docker");
    const talk = openTalk(records, { workers: [{ ...WORKER, slots: 1 }] });
    expect(await talk.ask("!queue")).toEqual([
      "● docker #4 fetching · 1m00s of about 4m00s",
      '○ 1. docker #5 for ada · main 0000000 "Fix CloudFront origin path" · begins in about 3m00s · about 4m00s, 90% within 5m00s',
    ]);
    expect((await talk.ask("!build docker", ADA))[0]).toContain(
      " · 1 before it, begins in about 7m00s · about 4m00s, 90% within 5m00s · ",
    );
  });
});

describe("!log", () => {
  const lines: LogLine[] = [
    { number: 8, text: "\u001b[31mFAIL\u001b[0m\tTestBlobUpload" },
    { number: 9, text: "1%\r50%\r100%" },
    { number: 12, text: "x".repeat(400) },
  ];

  test("is the last lines, as a terminal shows them, with their place and a link", async () => {
    await using records = await team();
    await ended(records, "hello", failed(5));
    const asked: unknown[] = [];
    const talk = openTalk(records, {
      logLines: async (...what) => {
        asked.push(what);
        return lines;
      },
    });
    expect(await talk.ask("!log 1")).toEqual([
      "hello #1 lines 8 to 12 · https://ci.example.org/builds/1/log",
      "FAIL    TestBlobUpload",
      "100%",
      `${"x".repeat(299)}…`,
    ]);
    await talk.ask("!log 1 12");
    await talk.ask("!log 1 99999");
    await talk.ask("!log 1 0");
    await talk.ask("!log 1 /Panic/i");
    expect(asked).toEqual([
      [1, 5, undefined],
      [1, 12, undefined],
      [1, 20, undefined],
      [1, 1, undefined],
      [1, 5, /Panic/i],
    ]);
  });

  test("says why there is nothing to show", async () => {
    await using records = await team();
    const link = "https://ci.example.org/builds/1/log";
    await records.create("hello");
    expect(await openTalk(records).ask("!log 1")).toEqual([`#1 has no log yet: it is queued · ${link}`]);
    const empty = openTalk(records, { logLines: async () => [] });
    expect(await empty.ask("!log 1 /panic/")).toEqual([`#1 has no line that matches /panic/ · ${link}`]);
    expect(await empty.ask("!log 1")).toEqual([`#1 has printed nothing yet · ${link}`]);
    expect(await empty.ask("!log 2")).toEqual(["there is no build #2. The newest is #1."]);
    expect((await empty.ask("!log 1 /(/"))[0]).toMatch(/^\/\(\/ is not a pattern: .+\.$/);
  });
});

describe("who and what is here", () => {
  test("!whoami says whom one is taken for, why, and what one may do", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!whoami", ADA)).toEqual([
      "you are logged in as fake/ada, which is ada in people: · roles: developer, admin",
    ]);
    expect(await talk.ask("!whoami", { nick: "mallory" })).toEqual([
      'you are not logged in to services, and a nick alone proves nothing · no roles: you may ask, not act · I do not know you: log in to services (/msg NickServ IDENTIFY), then ask an admin to add "fake/<your account>".',
    ]);
    expect(await talk.ask("!whoami", { nick: "root", trusted: true })).toEqual([
      "whoever has this terminal is an admin · roles: developer, approver, admin",
    ]);
  });

  test("!version says which, and since when (O-09)", async () => {
    await using records = await team();
    expect(await openTalk(records).ask("!version")).toEqual([
      `docker-ci 1.0.0 · Node ${process.versions.node} · up 2h05m · https://ci.example.org`,
    ]);
  });

  test("!workers says who is up and at what", async () => {
    await using records = await team();
    const busy = { ...WORKER, name: "big-2", active: [4, 5] };
    expect(await openTalk(records, { workers: [WORKER, busy] }).ask("!workers")).toEqual([
      "big-1: 0 of 2 slots in use · idle · amd64 · Docker Engine: Docker 20.10.24, 2 CPUs · docker-ci 1.0.0",
      "● big-2: 2 of 2 slots in use · building #4, #5 · amd64 · Docker Engine: Docker 20.10.24, 2 CPUs · docker-ci 1.0.0",
    ]);
    expect(await openTalk(records, { workers: [] }).ask("!workers")).toEqual([
      "▲ no worker is up: builds wait until one is",
    ]);
  });

  test("!help is the commands by who may use them, and all about one of them", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!help")).toEqual([
      expect.stringMatching(/^everyone: .*!status !list !last !queue !eta .*!log .*!whoami.* !version$/),
      expect.stringMatching(/^developers: !build !rebuild !cancel\b.* · approvers: !approve · admins: .*!shutdown$/),
      "!help <command> says more · https://ci.example.org",
    ]);
    const cancel =
      "!cancel <build or project> [reason…] · Stop a build, queued or running, or the only one of a project; the reason is kept with it. · takes the role developer · for example !cancel 43, !cancel 43 superseded by 44, !cancel docker · also !stop";
    for (const line of ["!help cancel", "!help !cancel", "!help STOP"]) expect(await talk.ask(line)).toEqual([cancel]);
    expect(await talk.ask("!help cancle")).toEqual(['no command "cancle". Did you mean !cancel? !help lists them.']);
  });

  test("!shutdown says what it waits for, and stops once it was said", async () => {
    await using records = await team();
    const talk = openTalk(records);
    expect(await talk.ask("!shutdown", ADA)).toEqual(["stopping now"]);
    await records.begin(await records.create());
    await records.create();
    expect(await talk.ask("!shutdown", ADA)).toEqual(["stopping when #1 is done · 1 queued waits for the next start"]);
    expect(talk.stoppedBy).toEqual(["ada", "ada"]);
  });
});

test("what could not run is nobody's change: every command tells it apart from what is broken", async () => {
  await using records = await team();
  await ended(records, "docker", {
    kind: "errored",
    startedAt: ago(9),
    finishedAt: ago(8),
    reason: "no such host",
    tries: 2,
  });
  const talk = openTalk(records);
  expect(await talk.ask("!status")).toEqual([
    "nothing runs or waits · broken: none · could not run: docker #1 · https://ci.example.org",
  ]);
  expect(await talk.ask("!incidents")).toEqual([
    "▲ nothing is broken · could not run: docker #1 · https://ci.example.org",
  ]);
  expect((await talk.ask("!hello"))[0]).toMatch(/^▲ at your service; could not run: docker #1 · /);
  expect((await talk.ask("!tests 1"))[0]).toBe(
    "docker #1 has no test report · it could not run · https://ci.example.org/builds/1",
  );
});

test("a project that is configured no more can be let go: its pause and its subscription", async () => {
  await using records = await team();
  const gone = ProjectName.parse("gone");
  await records.builds.pauses.pause(gone, "bob");
  const room = { network: NetworkName.parse("fake"), kind: "channel", name: "#dev" } as const;
  await createSubscriptions(records.redis.commands, clock).add({ room, project: gone, events: ["every"] });
  const talk = openTalk(records);
  expect(await talk.ask("!unsubscribe gone")).toEqual(["this room hears no more of gone"]);
  expect(await talk.ask("!unsubscribe gone")).toEqual(['no project "gone". There are docker, docker-registry, hello.']);
  expect((await talk.ask("!resume gone", ADA))[0]).toMatch(/^gone resumed, was paused by bob /);
  expect(await talk.ask("!status")).toEqual(["nothing runs or waits · broken: none · https://ci.example.org"]);
});

describe("what many things are said of", () => {
  const names = [1, 2, 3, 4, 5, 6, 7].map((number) => `site-${number}`);
  const many = configOf(`
url: https://ci.example.org
irc: [{ name: fake, host: localhost, channels: ["#dev"] }]
people:
  ada: { irc: fake/ada, roles: [developer, admin] }
projects:
${names.map((name) => `  ${name}: { repo: /repositories/${name}, nightly: "0 7 * * *" }`).join("\n")}
`);

  test("the nights of seven projects are three lines and a link", async () => {
    await using records = await openRecords(many);
    const answer = await openTalk(records).ask("!nightly", ADA);
    expect(answer.slice(0, 3).map((line) => line.split(" queued")[0])).toEqual([
      "○ site-1 #1",
      "○ site-2 #2",
      "○ site-3 #3",
    ]);
    expect(answer.slice(3)).toEqual(["○ 4 more queued · https://ci.example.org"]);
  });

  test("of twelve builds that are watched, ten are named", async () => {
    await using records = await openRecords(many);
    for (let count = 0; count < 12; count += 1) await records.create("site-1");
    expect(await openTalk(records).ask("!watch site-1")).toEqual([
      "○ you will hear how site-1 #1, #2, #3, #4, #5, #6, #7, #8, #9, #10 and 2 more end",
    ]);
  });
});
