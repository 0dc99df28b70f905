/** Issue 7: a release is asked for, approved and rejected by people, whose votes are counted once wherever they were given. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import { createLinks, joined } from "../../src/chat/links.ts";
import { lineText } from "../../src/chat/reply.ts";
import { ConfigError, RuntimeError } from "../../src/errors.ts";
import { NetworkName } from "../../src/names.ts";
import { outboxKey, parseEntry } from "../../src/queue/outbox-entry.ts";
import { planDigest } from "../../src/releases/digest.ts";
import { startReleaseExpiry } from "../../src/releases/expire.ts";
import { ReleaseNumber, type ReleaseState } from "../../src/releases/release.ts";
import type { Releases } from "../../src/releases/releases.ts";
import type { ReleaseStore } from "../../src/releases/store.ts";
import { stillGood } from "../../src/releases/votes.ts";
import type { Revisions } from "../../src/revisions.ts";
import { ADA, ago, configOf, NOW, openRecords, type Records, revisionOf, revisions } from "../support/records.ts";
import { FINGERPRINT, openReleases, type ReleaseWorld } from "../support/releases.ts";
import { openTalk, type Said, type Talk } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const CONFIG = (approvals = 2, more = "") => `
url: https://ci.example.org
irc: [{ name: libera, host: irc.example.org, port: 6697, channels: ["#dev"] }]
slack: [{ name: work, bot_token: xoxb-good, app_token: xapp-good, channels: [C1] }]
notify: { rooms: ["work/C1"] }
people:
  ada: { irc: libera/ada, slack: work/U1, roles: [developer, approver] }
  bob: { irc: libera/bob, slack: work/U2, roles: [developer, approver] }
  dan: { slack: work/U4, roles: [approver] }
  eve: { irc: libera/eve, web: eve, roles: [approver] }
projects:
  docker: { repo: /repositories/docker }
  hello: { repo: /repositories/hello }
releases:
  docker: { bucket: get.docker.io, gpg_key: ci@example.org, approvals: ${approvals}, expires: 24h, ${more} }
`;
const R1 = ReleaseNumber.parse(1);
const PUBLISHED: ReleaseState = {
  kind: "published",
  startedAt: NOW.toISOString(),
  finishedAt: NOW.toISOString(),
  files: 3,
  bytes: 2048,
  sha256: "0".repeat(64),
  warnings: [],
};

interface Scene extends AsyncDisposable {
  readonly records: Records;
  readonly releases: Releases;
  readonly store: ReleaseStore;
  readonly irc: Talk;
  readonly slack: Talk;
  readonly world: ReleaseWorld & { now: Date };
  /** What waits to be said in a room, its lines joined. */
  said(network: string, room: string): Promise<string[]>;
  audited(): Promise<string[]>;
}

async function open(config = CONFIG()): Promise<Scene> {
  const records = await openRecords(configOf(config));
  const world = { key: FINGERPRINT, revisions, now: NOW };
  const time = { now: () => world.now };
  const { releases, store } = openReleases(records, world, time);
  const irc = openTalk(records, { network: "libera", releases, time });
  const slack = openTalk(records, { network: "work", releases, time });
  return {
    records,
    releases,
    store,
    irc,
    slack,
    world,
    async said(network, name) {
      const room = { network: NetworkName.parse(network), kind: "channel", name } as const;
      const entries = await records.redis.commands.lrange(outboxKey(room), 0, -1);
      return entries.map((json) => parseEntry(json)?.outgoing.reply.lines.map(lineText).join("\n") ?? "");
    },
    async audited() {
      const entries = await createAudit(records.redis.commands, time).latest(100);
      return entries.toReversed().map(({ who, action, detail, outcome }) => `${who} ${action} ${outcome} ${detail}`);
    },
    [Symbol.asyncDispose]: () => records[Symbol.asyncDispose](),
  };
}

const ada: Said = { nick: "ada", account: "ada" };
const bob: Said = { nick: "bob", account: "bob" };
const eve: Said = { nick: "eve", account: "eve" };
const bobInSlack: Said = { nick: "bob", account: "U2", room: "C1" };
const danInSlack: Said = { nick: "dan", account: "U4", room: "C1" };
const adaInSlack: Said = { nick: "ada", account: "U1", room: "C1" };

let scene: Scene;
beforeEach(async () => {
  scene = await open();
});
afterEach(() => scene[Symbol.asyncDispose]());

describe("a release", () => {
  test("is answered with its plan: revision, build, what changed, where to, key, who may approve, until when", async () => {
    const { records, store, world } = scene;
    const build = await records.end(
      await records.begin(await records.create("docker")),
      { kind: "passed", startedAt: ago(60), finishedAt: ago(30) },
      { results: results() } as object,
    );
    expect(build.results).toBeDefined();
    await publishedBefore("0.8.1", "7");
    world.latest = "0.8.1";
    world.revisions = {
      ...revisions,
      async between() {
        const commit = { author: "bob", title: "storage: retry on 503", files: [] };
        return [
          { ...commit, sha: revisionOf("0").sha },
          { ...commit, author: "eve", sha: revisionOf("1").sha },
        ];
      },
    } satisfies Revisions;
    expect(await scene.irc.ask("!release docker 0.9.0", ada)).toEqual([
      '○ R2 docker 0.9.0 waits for approvals · main 0000000 "Fix CloudFront origin path" · #1 passed (1,204 tests, coverage 70.6%) · 2 commits since 0.8.1',
      "3 files to s3://get.docker.io/docker/0.9.0/ · signed by E5F60718293A4B5C · needs 2 of: bob, dan, eve",
      "asked by ada on libera · !approve R2 or !reject R2 <reason> until 2026-03-02 12:00 UTC · https://ci.example.org/releases/R2",
    ]);
    expect((await scene.said("work", "C1")).at(-1)).toMatch(/^○ R2 docker 0.9.0 waits for approvals/);
    expect((await store.get(ReleaseNumber.parse(2)))?.plan.commits.map(({ author }) => author)).toEqual(["bob", "eve"]);
    expect((await scene.irc.ask("!releases R2", bob)).at(-1)).toBe(
      "0000000 bob: storage: retry on 503 · 1111111 eve: storage: retry on 503",
    );
  });

  // O-99: approvals
  test("is approved once on IRC and once in Slack; then whoever publishes takes it", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    expect(await scene.irc.ask("!approve R1", bob)).toEqual(["R1: 1 of 2 (bob). One more of dan, eve."]);
    expect((await scene.said("work", "C1")).at(-1)).toContain("1 of 2 (bob on libera)");
    expect(await scene.slack.ask("!approve r1", danInSlack)).toEqual(["R1: approved by bob and dan."]);
    expect((await scene.releases.get(R1)).state).toMatchObject({ kind: "publishing", step: "check" });
    expect(await scene.said("libera", "#dev")).toEqual(["R1: approved by bob and dan."]);
    expect((await scene.said("work", "C1")).at(-1)).toMatch(
      /^● R1 docker 0.9.0 · approved by bob and dan · ▓░{8} check/,
    );
    expect(await scene.audited()).toEqual([
      "ada release accepted docker 0.9.0",
      "ada release-state accepted R1 docker 0.9.0 (0000000) waits for approval",
      "bob approve accepted R1",
      "dan approve accepted r1",
      "dan release-state accepted R1 docker 0.9.0 (0000000) is being published, step check, approved by bob and dan",
    ]);
    expect(await scene.irc.ask("!approve R1", eve)).toEqual(["R1 is approved and being published (step check)."]);
  });

  test("is not approved by who asked for it, on neither network", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    const own = ["you asked for R1, so others must approve it."];
    expect(await scene.irc.ask("!approve R1", ada)).toEqual(own);
    expect(await scene.slack.ask("!approve R1", adaInSlack)).toEqual(own);
    expect((await scene.audited()).at(-1)).toBe("ada approve refused R1: you asked for R1, so others must approve it.");
  });

  test("is not approved by who asked for it from an account that was linked afterwards", async () => {
    await using alone = await open(CONFIG().replace("slack: work/U1, ", "").replace("default_roles", ""));
    const adas = { network: NetworkName.parse("work"), account: "U9" };
    const identity = { name: "U9", key: "account:work/u9", roles: new Set<never>(), because: "", advice: "" };
    const room = { network: adas.network, kind: "channel", name: "C1" } as const;
    const requester = { name: "U9", displayName: "countess", account: "U9", network: adas.network, room };
    const wish = { project: "docker", version: "0.9.0", kind: "release", force: false } as const;
    await alone.releases.request({ ...wish, requester, identity });
    const links = createLinks(alone.records.redis.commands);
    const onIrc = { network: NetworkName.parse("libera"), account: "ada" };
    await links.change((groups) => joined(groups, adas, onIrc, NOW.toISOString()));
    expect(await alone.irc.ask("!approve R1", ada)).toEqual(["you asked for R1, so others must approve it."]);
  });

  test("counts a person once, whichever of their accounts they use", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    await scene.irc.ask("!approve R1", bob);
    expect(await scene.slack.ask("!approve R1", bobInSlack)).toEqual([
      "R1 has your approval already (on libera); each person counts once.",
    ]);
    expect((await scene.releases.get(R1)).votes).toHaveLength(1);
  });

  test("counts a message that is delivered again once, and answers it alike", async () => {
    await scene.irc.ask("!release docker 0.9.0", { ...ada, id: "m1" });
    const word = { identity: personal("bob"), room: scene.irc.chat.room("#dev"), asked: "libera:m2" };
    const first = await scene.releases.approve(R1, word);
    expect(await scene.releases.approve(R1, word)).toEqual(first);
    const wish = { project: "docker", version: "0.9.0", kind: "release", force: false } as const;
    const again = await scene.releases.request({
      ...wish,
      requester: ADA,
      identity: personal("ada"),
      asked: "libera:m1",
    });
    expect(again.number).toBe(1);
  });

  // O-174
  test("is not approved by somebody who is not in people:, who is told how to be", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    const [said] = await scene.irc.ask("!approve R1", { nick: "mallory", account: "mallory" });
    expect(said).toMatch(
      /^!approve takes the role approver\. Ask an admin to add "libera\/mallory" to people:, or say !link/,
    );
    expect(await scene.irc.ask("!approve R1", { nick: "root", trusted: true })).toEqual([
      "only people are counted, and whoever has this terminal is an admin. Approve from an account that people: names, or on the page.",
    ]);
  });

  test("expires, which is said where it was asked for, and a vote after that is refused", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    await scene.irc.ask("!approve R1", bob);
    await scene.releases.expireDue();
    expect((await scene.releases.get(R1)).state.kind).toBe("waiting");
    scene.world.now = new Date("2026-03-02T12:00:00.000Z");
    expect(await scene.slack.ask("!approve R1", danInSlack)).toEqual([
      "R1 expired at 2026-03-02 12:00 UTC; ask again: !release docker 0.9.0",
    ]);
    const expired = "■ R1 docker 0.9.0 expired: 1 of 2 approvals came in time · https://ci.example.org/releases/R1";
    expect(await scene.said("libera", "#dev")).toEqual([expired]);
    expect((await scene.said("work", "C1")).at(-1)).toContain(
      "■ R1 docker 0.9.0 expired: 1 of 2 approvals came in time",
    );
    expect(await scene.irc.ask("!release docker 0.9.0", ada)).toHaveLength(3);
    scene.world.now = new Date("2026-03-04T12:00:00.000Z");
    await scene.releases.expireDue();
    expect((await scene.releases.get(ReleaseNumber.parse(2))).state.kind).toBe("expired");
    expect((await scene.audited()).at(-1)).toBe("docker-ci release-state accepted R2 docker 0.9.0 (0000000) expired");
  });

  test("stands alone: another one of the project is refused while it waits or is published", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    expect(await scene.slack.ask("!release docker 0.9.1", bobInSlack)).toEqual([
      "R1 docker 0.9.0 waits for approval, and a project has one at a time: !reject R1 ends it.",
    ]);
    await scene.irc.ask("!approve R1", bob);
    await scene.irc.ask("!approve R1", eve);
    expect(await scene.slack.ask("!release docker 0.9.1", bobInSlack)).toEqual([
      "R1 docker 0.9.0 is being published, step check, and a project has one at a time: wait for its end.",
    ]);
  });

  test("of three votes at the same moment two are counted, and the third is told", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    const said = await Promise.all([
      scene.irc.ask("!approve R1", bob),
      scene.irc.ask("!approve R1", eve),
      scene.slack.ask("!approve R1", danInSlack),
    ]);
    expect(said.flat().filter((line) => line.includes("R1 is approved and being published"))).toHaveLength(1);
    expect(await scene.releases.get(R1)).toMatchObject({ votes: [{}, {}], state: { kind: "publishing" } });
  });

  test("expires by itself within a look", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    scene.world.now = new Date("2026-03-02T12:00:00.000Z");
    await using _expiry = startReleaseExpiry(scene.releases, scene.records.log, 10);
    await waitFor("the end", async () => (await scene.store.open()).length === 0);
    expect((await scene.store.get(R1))?.state.kind).toBe("expired");
  });

  test("of two that are asked for at the same moment one is refused", async () => {
    const answers = await Promise.all([
      scene.irc.ask("!release docker 0.9.0", ada),
      scene.slack.ask("!release docker 0.9.1", bobInSlack),
    ]);
    expect(answers.flat().filter((line) => line.includes("a project has one at a time"))).toHaveLength(1);
    expect(await scene.store.open()).toHaveLength(1);
  });

  test("ends with a reject in the other room, whose reason both rooms hear", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    expect(await scene.slack.ask("!reject R1 the changelog is missing", danInSlack)).toEqual([
      "■ R1 docker 0.9.0 rejected by dan: the changelog is missing · https://ci.example.org/releases/R1",
    ]);
    expect((await scene.said("libera", "#dev")).at(-1)).toContain("rejected by dan: the changelog is missing");
    expect(await scene.irc.ask("!approve R1", bob)).toEqual(["R1 was rejected by dan."]);
    expect(await scene.irc.ask("!release docker 0.9.0", ada)).toHaveLength(3);
    expect((await scene.irc.ask("!reject R2", ada))[0]).toMatch(/^■ R2 docker 0.9.0 withdrawn by ada · /);
    await scene.irc.ask("!release docker 0.9.0", ada);
    expect((await scene.irc.ask("!reject R3", { nick: "mallory", account: "mallory" }))[0]).toMatch(
      /^to reject takes the role approver, or having asked for it; you are logged in as libera\/mallory, /,
    );
  });

  test("is refused when a commit came since, and can be asked for again", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    scene.world.revisions = { ...revisions, resolve: async (_repo, ref) => revisionOf("5", { ref }) };
    const moved = "main moved to 5555555 since R1 was asked for";
    expect(await scene.irc.ask("!approve R1", bob)).toEqual([
      `${moved}, so R1 is refused; ask again: !release docker 0.9.0`,
    ]);
    expect((await scene.said("libera", "#dev"))[0]).toContain(`■ R1 docker 0.9.0 refused: ${moved}`);
    expect(await scene.irc.ask("!release docker 0.9.0", ada)).toHaveLength(3);
  });

  test("keeps waiting when the git server does not answer, and the vote is not counted", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    scene.world.revisions = {
      ...revisions,
      async resolve() {
        throw new RuntimeError("cannot reach /repositories/docker: connection refused");
      },
    };
    expect((await scene.irc.ask("!approve R1", bob))[0]).toContain("cannot reach /repositories/docker");
    expect(await scene.releases.get(R1)).toMatchObject({ votes: [], state: { kind: "waiting" } });
  });
});

describe("what was voted on", () => {
  test.each([
    [
      "who voted may not approve any more",
      (text: string) => text.replace("slack: work/U4, roles: [approver]", "slack: work/U4, roles: [developer]"),
      "it has 1 of 2 approvals: the vote of dan counts no more",
    ],
    [
      "the project runs with other variables",
      (text: string) => text.replace("/repositories/docker }", "/repositories/docker, env: { DEBUG: '1' } }"),
      "the configuration of docker was changed since it was asked for",
    ],
    [
      "it goes to another bucket",
      (text: string) => text.replace("get.docker.io", "other.docker.io"),
      "the configuration of docker was changed since it was asked for",
    ],
    [
      "it takes more approvals",
      (text: string) => text.replace("approvals: 2", "approvals: 3"),
      "it has 2 of 3 approvals",
    ],
    [
      "the project is not released any more",
      (text: string) => text.replace(/releases:\n.*\n/, ""),
      "docker is no longer configured to be released",
    ],
  ])("is not published when %s", async (_what, changed, refused) => {
    const approved = await approve();
    expect(stillGood(approved, configOf(CONFIG()), NOW)).toEqual({ good: true });
    expect(stillGood(approved, configOf(changed(CONFIG())), NOW)).toEqual({ good: false, refused });
  });

  test("is not published with the vote of who asked, which only counts for teams of one", async () => {
    const approved = await approve();
    const mine = { ...approved, askedBy: "person:bob" };
    expect(stillGood(mine, configOf(CONFIG()), NOW)).toEqual({
      good: false,
      refused: "it has 1 of 2 approvals: the vote of bob counts no more",
    });
    expect(stillGood(mine, configOf(CONFIG(2, "own_approval: true")), NOW)).toEqual({ good: true });
  });

  test("is not begun long after its window, and goes on for as long as it takes once it has begun", async () => {
    const approved = await approve();
    const late = new Date("2026-03-02T12:30:00.000Z");
    const config = configOf(CONFIG());
    expect(stillGood(approved, config, late)).toEqual({
      good: false,
      refused: "the approvals of R1 are too old by now",
    });
    const state = { kind: "publishing", startedAt: NOW.toISOString(), step: "upload" } as const;
    expect(stillGood({ ...approved, state }, config, late)).toEqual({ good: true });
    expect(stillGood({ ...approved, votes: [], origin: "nightly" }, config, late)).toEqual({ good: true });
  });

  test("is refused at the next vote too when the configuration changed", async () => {
    await scene.irc.ask("!release docker 0.9.0", ada);
    await using changed = await open(CONFIG().replace("get.docker.io", "other.docker.io"));
    const { releases } = openReleases({ ...changed.records, redis: scene.records.redis }, scene.world);
    const word = { identity: personal("bob"), room: ADA.room, asked: "m" };
    await expect(releases.approve(R1, word)).rejects.toThrow(
      "the configuration of docker was changed since it was asked for, so R1 is refused; ask again: !release docker 0.9.0",
    );
    expect((await releases.get(R1)).state.kind).toBe("refused");
  });
});

describe("a release that cannot be", () => {
  test.each([
    [
      "!release hello 1.0.0",
      "hello is not set up for releases: docker-ci.yml takes releases: { hello: { bucket: …, gpg_key: …, approvals: 2 } }.",
    ],
    ["!release dokcer 1.0.0", 'no project "dokcer". Did you mean docker? There are docker, hello.'],
    ["!release docker v1.0", '"v1.0" is no version such as 1.4.0 or 1.4.0-rc.1.'],
    ["!release docker 2026-03-01", '"2026-03-01" is no version such as 1.4.0 or 1.4.0-rc.1.'],
    [
      "!release docker 1.0.0 nosuch",
      'docker has no branch, tag or commit "nosuch". All: https://ci.example.org/projects/docker',
    ],
    ["!release docker 1.0.0 PR#12", "a pull request is not released; merge it first."],
    ["!approve R9", "there is no R9. There are none yet."],
  ])("%s is answered with why", async (line, said) => {
    expect(await scene.irc.ask(line, line.startsWith("!approve") ? bob : ada)).toEqual([said]);
    expect(await scene.store.latest(9)).toEqual([]);
  });

  test("takes more people than there are", async () => {
    await using small = await open(CONFIG(4));
    expect(await small.irc.ask("!release docker 0.9.0", ada)).toEqual([
      "docker takes 4 approvals, and only bob, dan and eve could give one, as who asks may not (own_approval): people: needs more with roles: [approver], or releases: fewer approvals.",
    ]);
    await using own = await open(CONFIG(4, "own_approval: true"));
    expect(await own.irc.ask("!release docker 0.9.0", ada)).toHaveLength(3);
    expect(await own.irc.ask("!approve R1", ada)).toEqual(["R1: 1 of 4 (ada). 3 more of bob, dan, eve."]);
  });

  // O-99: a version is above the last one
  test("was published already, which nothing overrules; or is not above the last: --force asks for one approval more", async () => {
    await publishedBefore("0.9.0", "0");
    scene.world.latest = "0.8.1";
    const forced = (version: string) =>
      `!release docker ${version} --force asks for it all the same, and takes one approval more; --no-latest publishes it and leaves latest where it is.`;
    expect(await scene.irc.ask("!release docker 0.9.0", ada)).toEqual([
      "docker 0.9.0 is published already by R1, and what was published never changes.",
    ]);
    expect((await scene.irc.ask("!release docker 0.9.0 --force", ada))[0]).toContain("is published already by R1");
    expect(await scene.irc.ask("!release docker 0.9.0-rc.1", ada)).toEqual([
      `docker 0.9.0 is published, and 0.9.0-rc.1 is not above it. ${forced("0.9.0-rc.1")}`,
    ]);
    expect((await scene.irc.ask("!release docker 0.8.9 --force", ada)).join("\n")).toContain(
      "needs 3 of: bob, dan, eve",
    );
    const release = await scene.releases.get(ReleaseNumber.parse(2));
    expect(release.plan).toMatchObject({ forced: true, approvals: 3 });
    expect((await scene.audited()).find((entry) => entry.includes("--force"))).toBeDefined();
  });

  test("--skip-tests takes one approval more, is said with the plan and audited, and voted on (O-92)", async () => {
    const asked = await scene.irc.ask("!release docker 0.9.0 --skip-tests", ada);
    expect(asked[0]).toMatch(/· tests skipped$/);
    expect(asked.join("\n")).toContain("needs 3 of: bob, dan, eve");
    expect((await scene.said("work", "C1")).at(-1)).toContain("tests skipped");
    const { plan, digest } = await scene.releases.get(R1);
    expect(plan).toMatchObject({ skipTests: true, approvals: 3 });
    expect(planDigest({ ...plan, skipTests: undefined })).not.toBe(digest);
    expect((await scene.audited()).filter((entry) => /--skip-tests|tests skipped/.test(entry))).toHaveLength(2);
    expect(await scene.irc.ask("!approve R1", bob)).toEqual(["R1: 1 of 3 (bob). 2 more of dan, eve."]);
    await scene.irc.ask("!approve R1", eve);
    expect((await scene.releases.get(R1)).state.kind).toBe("waiting");
    await scene.irc.ask("!reject R1", ada);
    await using own = await open(CONFIG(3));
    expect(await own.irc.ask("!release docker 0.9.0 --skip-tests", ada)).toEqual([
      expect.stringContaining("docker takes 4 approvals, and only bob, dan and eve could give one"),
    ]);
    expect((await own.irc.ask("!release docker 0.9.0", ada)).join("\n")).toContain("needs 3 of: bob, dan, eve");
  });

  test("is an old branch's fix: --no-latest publishes it beside the latest, and counts commits from below it (O-94)", async () => {
    await publishedBefore("0.8.1", "7");
    await publishedBefore("0.9.0", "8");
    scene.world.latest = "0.9.0";
    const asked = (await scene.irc.ask("!release docker 0.8.2 --no-latest", ada)).join("\n");
    expect(asked).toContain("since 0.8.1");
    expect(asked).toContain("to s3://get.docker.io/docker/0.8.2/ · latest stays 0.9.0 · signed by");
    expect(asked).toContain("needs 2 of: bob, dan, eve");
    expect((await scene.said("work", "C1")).at(-1)).toContain("latest stays 0.9.0");
    const { plan, digest } = await scene.releases.get(ReleaseNumber.parse(3));
    expect(plan).toMatchObject({ noLatest: true, previous: "0.9.0" });
    expect(planDigest({ ...plan, noLatest: undefined })).not.toBe(digest);
    expect((await scene.audited()).find((entry) => entry.includes("--no-latest"))).toBeDefined();
  });

  test("is said to be in trouble while it can be mended: a bucket that does not answer, no key (O-91)", async () => {
    scene.world.bucketTrouble = new RuntimeError("s3://get.docker.io: the access key is not known there");
    delete scene.world.key;
    expect(await scene.irc.ask("!release docker 0.9.0", ada)).toEqual([
      expect.stringContaining("○ R1 docker 0.9.0 waits for approvals"),
      "to s3://get.docker.io/docker/0.9.0/ · needs 2 of: bob, dan, eve",
      "▲ what is published cannot be read: s3://get.docker.io: the access key is not known there",
      "▲ no gpg_key is configured, so nothing will be signed",
      expect.stringContaining("!approve R1"),
    ]);
  });
});

test("a bucket that cannot be written to, or does not answer in time, is said with the plan; a repository is waited for", async () => {
  let rejected = 0;
  const warned = async () => {
    const lines = await scene.irc.ask("!release docker 0.9.0", ada);
    rejected += 1;
    await scene.irc.ask(`!reject R${rejected}`, ada);
    return lines.filter((line) => line.startsWith("▲"));
  };
  scene.world.probeTrouble = new RuntimeError("s3://get.docker.io: this key may only read there");
  expect(await warned()).toEqual([
    "▲ the bucket cannot be written to: s3://get.docker.io: this key may only read there",
  ]);
  scene.world.probeTrouble = new ConfigError("docker-ci cannot start.", [
    "releases.docker: the bucket is production's",
  ]);
  expect(await warned()).toEqual(["▲ the bucket cannot be written to: releases.docker: the bucket is production's"]);
  const timeout = new DOMException("The operation was aborted due to timeout", "TimeoutError");
  scene.world.bucketTrouble = timeout;
  expect(await warned()).toEqual(["▲ what is published cannot be read: no answer came in time"]);
  scene.world.revisions = {
    ...revisions,
    async resolve() {
      throw timeout;
    },
  };
  expect(await scene.irc.ask("!release docker 0.9.0", ada)).toEqual(["▲ the repository of docker does not answer"]);
});

test("!releases lists what waits and what was, three at most and the page behind them", async () => {
  expect(await scene.irc.ask("!releases", bob)).toEqual([
    "there are no releases yet · !release <project> <version> asks for one · https://ci.example.org/releases",
  ]);
  for (const version of ["0.1.0", "0.2.0", "0.3.0"]) await publishedBefore(version, "0");
  await scene.irc.ask("!release docker 0.9.0", ada);
  expect(await scene.irc.ask("!releases docker", bob)).toEqual([
    "○ R4 docker 0.9.0 waits · 0 of 2 · needs 2 of: bob, dan, eve · 24h00m left · https://ci.example.org/releases/R4".replace(
      "24h00m",
      "1d",
    ),
    "✔ R3 docker 0.3.0 published · 3 files (2 KiB), sums and signature verified · latest is 0.3.0 · https://ci.example.org/releases/R3",
    "✔ R2 docker 0.2.0 published · 3 files (2 KiB), sums and signature verified · latest is 0.2.0 · https://ci.example.org/releases/R2",
    "older ones · https://ci.example.org/releases",
  ]);
});

test("!unlock takes the lease of a project's releases, by an admin, and says whether anybody had it", async () => {
  expect((await scene.irc.ask("!unlock docker", bob))[0]).toMatch(/^!unlock takes the role admin/);
  const admin: Said = { nick: "root", trusted: true };
  expect(await scene.irc.ask("!unlock docker", admin)).toEqual(["nobody holds the releases of docker"]);
  await scene.records.redis.commands.set("docker-ci:release:lease:docker", "somebody");
  expect((await scene.irc.ask("!unlock docker", admin))[0]).toContain("the releases of docker are free again");
  expect(await scene.records.redis.commands.exists("docker-ci:release:lease:docker")).toBe(0);
  expect((await scene.audited()).at(-1)).toBe("root unlock accepted docker");
});

function personal(name: string) {
  const roles = new Set<"approver" | "developer">(["approver", "developer"]);
  return { name, key: `person:${name}`, roles, because: "", advice: "" };
}

async function approve() {
  await scene.irc.ask("!release docker 0.9.0", ada);
  await scene.irc.ask("!approve R1", bob);
  await scene.slack.ask("!approve R1", danInSlack);
  return scene.releases.get(R1);
}

async function publishedBefore(version: string, digit: string): Promise<void> {
  const { releases, store } = scene;
  const { latest, revisions: after } = scene.world;
  delete scene.world.latest;
  scene.world.revisions = { ...revisions, resolve: async (_repo, ref) => revisionOf(digit, { ref }) };
  const wish = { project: "docker", version, kind: "release", force: true } as const;
  const release = await releases.request({ ...wish, requester: ADA, identity: personal("ada") });
  Object.assign(scene.world, { latest, revisions: after });
  await store.change(release, { state: PUBLISHED });
}

function results() {
  const tests = { total: 1204, failed: 0, skipped: 0, durationMs: 1, failing: [], flaky: [], slowest: [] };
  const coverage = { totals: { unit: "lines", covered: 706, total: 1000 }, change: { kind: "missing" } };
  const artifacts = ["dist/a", "dist/b", "dist/c"].map((path) => ({ path, bytes: 1 }));
  return { tests, coverage, artifacts };
}
