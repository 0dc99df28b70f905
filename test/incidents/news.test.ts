/** What rooms read of builds that others asked for: real records, a real Redis, two networks. */
import { describe, expect, test } from "vitest";
import { Build, type FinalState } from "../../src/builds/build.ts";
import { parseConfig } from "../../src/config.ts";
import { createLedger } from "../../src/incidents/ledger.ts";
import { startNews } from "../../src/incidents/news.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { startOutbox } from "../../src/queue/outbox.ts";
import { FakeChat } from "../support/fake-chat.ts";
import { ago, clock, openRecords, revisionOf } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const CONFIG = `
url: https://ci.example.org
irc:
  - { name: fake, host: irc.example.org, channels: ["#dev"] }
  - { name: other, host: irc.example.net, channels: ["#ops"] }
notify: { rooms: ["other/#ops"] }
projects:
  docker-registry: { repo: /srv/docker-registry }
  docker: { repo: /srv/docker, notify: { rooms: ["other/#docker"], on: every } }
`;

/** Everything between a build's end and what is read, with a second network. */
async function openScene() {
  const config = parseConfig(CONFIG, { file: "/srv/docker-ci.yml", env: {}, cwd: "/srv" });
  const records = await openRecords(config);
  const { redis, log } = records;
  const talk = openTalk(records);
  const other = new FakeChat("other");
  const chats = new Map([talk.chat, other].map((chat) => [chat.network as string, chat]));
  const subscriptions = createSubscriptions(redis.commands, clock);
  const ledger = createLedger(redis.commands);
  const revisions = {
    async resolve() {
      return revisionOf("0");
    },
    async pack() {
      throw new Error("no test of the news fetches a tree");
    },
    async pullRequest() {
      throw new Error("no test of the news knows a pull request");
    },
    async packMerged() {
      throw new Error("no test of the news fetches a tree");
    },
    async mergedLines() {
      return new Map();
    },
    async tag() {
      throw new Error("no test of the news sets a tag");
    },
    async message() {
      return "";
    },
    async heads() {
      return new Map();
    },
    async between() {
      return [
        { sha: revisionOf("3").sha, author: "bob", title: "storage: retry on 503", files: [] },
        { sha: revisionOf("9").sha, author: "eve", title: "bump metrics", files: [] },
      ];
    },
    async mergeBase() {
      return undefined;
    },
    async changedLines() {
      return new Map();
    },
    async [Symbol.asyncDispose]() {
      // Nothing is open.
    },
  };
  const outbox = startOutbox(redis.commands, redis.open, chats, log);
  const deps = {
    config,
    builds: records.builds,
    ledger,
    subscriptions,
    revisions,
    clock,
    log,
    logLines: async () => undefined,
  };
  const news = await startNews(deps, redis.open(), records.store.eventChannel);
  let ended = 0;
  return {
    talk,
    other,
    /** A build of `main` that somebody asked for in fake/#dev runs and ends; waits until its news are made. */
    async build(
      kind: "passed" | "failed" | "errored",
      project = "docker-registry",
      changes: Partial<Pick<Build, "steps">> = {},
    ) {
      const build = await records.begin(await records.create(project), 72);
      const ends = { startedAt: ago(72), finishedAt: ago(0) };
      const states: Record<typeof kind, FinalState> = {
        passed: { kind: "passed", ...ends },
        failed: { kind: "failed", ...ends, reason: "step tests, exit 1" },
        errored: { kind: "errored", ...ends, reason: "no engine", tries: 2 },
      };
      await records.end(build, states[kind], changes);
      ended += 1;
      await waitFor("the news to be made", async () => (await ledger.nextFinished()) === undefined);
      await waitFor("the answer", () => talk.chat.lines().filter((line) => /^ada: [✔✘▲]/.test(line)).length >= ended);
    },
    async [Symbol.asyncDispose]() {
      await news[Symbol.asyncDispose]();
      await outbox[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}

describe("notices", () => {
  // O-72
  test("a branch that breaks: who asked has the answer and the context, the others all of it; repetition is no news", async () => {
    await using scene = await openScene();
    await scene.build("passed");
    await scene.build("failed");
    await scene.build("failed");
    await scene.other.delivered(1);
    const context = `was good at #1 · suspects: bob 3333333 "storage: retry on 503", eve 9999999 "bump metrics" · !why 2 · !claim docker-registry`;
    expect(scene.other.lines("#ops")).toEqual([
      "✘ docker-registry #2 failed in 1m12s · main 0000000 by bob · step tests, exit 1 · https://ci.example.org/builds/2",
      context,
    ]);
    await scene.build("passed");
    await scene.other.delivered(2);
    expect(scene.other.lines("#ops").at(-1)).toMatch(
      /^✔ docker-registry fixed by #4 in 1m12s · bob 0000000 ".*" · broken for .*, 2 builds · https/,
    );
    expect(scene.talk.chat.lines("#dev").filter((line) => line.startsWith("ada: "))).toHaveLength(4);
  });

  test("the alert links what the failing step saw, once (O-120)", async () => {
    await using scene = await openScene();
    const left = (path: string) => [{ path, bytes: 70, picture: true }];
    const steps = Build.shape.steps.parse([
      { name: "home", kind: "run", state: "passed", durationMs: 1, artifacts: left("home.png") },
      { name: "screen", kind: "run", state: "failed", durationMs: 1, artifacts: left("after login.png") },
    ]);
    await scene.build("passed", "docker-registry", { steps: steps.slice(0, 1) });
    await scene.build("failed", "docker-registry", { steps });
    await scene.other.delivered(1);
    const link = "picture of step screen · https://ci.example.org/artifacts/2/after%20login.png";
    expect(scene.other.lines("#ops").slice(2)).toEqual([link]);
    const heard = scene.talk.chat.lines("#dev");
    expect(heard.filter((line) => line.includes("picture"))).toEqual([expect.stringContaining(link)]);
  });

  test("a project's own rooms hear what they asked for, each thing once", async () => {
    await using scene = await openScene();
    await scene.build("passed", "docker");
    await scene.build("failed", "docker");
    await scene.other.delivered(3);
    expect(scene.other.lines("#docker").map((line) => line.slice(0, 17))).toEqual([
      "✔ docker #1 passe",
      "✘ docker #2 faile",
      "was good at #1 · ",
    ]);
    expect(scene.other.lines("#ops")).toHaveLength(2);
  });

  test("a subscription is kept, narrowed and ended; a muted room hears nothing, a snoozed project is quiet until mended", async () => {
    await using scene = await openScene();
    const elsewhere = { room: "#quiet" };
    expect(await scene.talk.ask("!subscribe docker-registry every", elsewhere)).toEqual([
      "this room hears of docker-registry: every",
    ]);
    expect(await scene.talk.ask("!unsubscribe", elsewhere)).toEqual(["this room hears of docker-registry: every"]);
    await scene.build("passed");
    await waitFor("the notice", () =>
      scene.talk.chat.lines("#quiet").some((line) => line.startsWith("✔ docker-registry #1")),
    );

    expect(await scene.talk.ask("!mute 2h", elsewhere)).toEqual(["no notices here for 2h00m · !unmute ends it"]);
    expect(await scene.talk.ask("!snooze docker-registry 1h")).toEqual([
      "no notices of docker-registry for 1h00m, unless it is mended",
    ]);
    await scene.build("failed");
    expect(await scene.talk.ask("!unmute", elsewhere)).toEqual(["notices here again"]);
    await scene.build("passed");
    await waitFor("the mended branch to be told", () => scene.other.lines("#ops").length > 0);
    expect(scene.other.lines("#ops")).toEqual([expect.stringMatching(/^✔ docker-registry fixed by #3/)]);
    expect(scene.talk.chat.lines("#quiet").some((line) => line.includes("#2"))).toBe(false);

    expect(await scene.talk.ask("!unsubscribe docker-registry", elsewhere)).toEqual([
      "this room hears no more of docker-registry",
    ]);
    expect(await scene.talk.ask("!subscribe docker nonsense", elsewhere)).toEqual([
      '"nonsense" is no event. There are broken, fixed, errored, every.',
    ]);
  });

  test("!claim on one network shows on the other, and in !incidents", async () => {
    await using scene = await openScene();
    expect(await scene.talk.ask("!incidents")).toEqual(["✔ nothing is broken · https://ci.example.org"]);
    expect(await scene.talk.ask("!claim docker-registry")).toEqual([
      "docker-registry is not broken · https://ci.example.org/projects/docker-registry",
    ]);
    await scene.build("failed");
    await scene.other.delivered(1);
    expect(await scene.talk.ask("!claim docker-registry", { nick: "bob" })).toEqual([
      "bob has docker-registry (broken for 0s since #1)",
    ]);
    await scene.other.delivered(2);
    expect(scene.other.lines("#ops").at(-1)).toBe("bob has docker-registry (broken for 0s since #1)");
    expect(await scene.talk.ask("!incidents")).toEqual([
      "✘ docker-registry broken for 0s since #1 · bob has it · https://ci.example.org/builds/1",
    ]);
  });

  test("!watch tells who watches, in the room where they said so", async () => {
    await using scene = await openScene();
    await scene.build("passed");
    expect(await scene.talk.ask("!watch 1", { room: "#elsewhere", nick: "eve" })).toEqual([
      expect.stringMatching(/^✔ docker-registry #1 passed/),
    ]);
    await scene.talk.ask("!watch 2", { room: "#elsewhere", nick: "eve" });
    await scene.build("failed");
    await waitFor("eve to be told", () =>
      scene.talk.chat.lines("#elsewhere").some((line) => line.startsWith("eve: ✘ docker-registry #2 failed")),
    );
  });
});
