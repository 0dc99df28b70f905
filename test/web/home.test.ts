/** `/`: how every project stands, and what is going on. */
import { expect, test } from "vitest";
import type { Build, FinalState } from "../../src/builds/build.ts";
import type { Incident } from "../../src/incidents/incident.ts";
import { BuildNumber, GitRef, ProjectName } from "../../src/names.ts";
import { BuildResults } from "../../src/results/summary.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, configOf, openRecords, type Records, revisionOf } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";

type Changes = Parameters<typeof webDeps>[1];

async function home(records: Records, changes: Changes = {}): Promise<{ html: string; text: string; title: string }> {
  const html = await (await createWeb(webDeps(records, changes)).request("/")).text();
  const text = html
    .replace(/<[^>]*>/g, " ")
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, " ");
  return { html, text, title: /<title>(.*)<\/title>/.exec(html)?.[1] ?? "" };
}

const times = { startedAt: ago(300), finishedAt: ago(120) };
const PASSED: FinalState = { kind: "passed", ...times };
const FAILED: FinalState = { kind: "failed", ...times, reason: "step tests, exit 1" };

const covered = (percent: number): BuildResults =>
  BuildResults.parse({
    coverage: {
      totals: { unit: "lines", covered: percent * 10, total: 1_000 },
      change: { kind: "missing" },
    },
  });

async function ended(records: Records, state: FinalState, results?: BuildResults, changes: Partial<Build> = {}) {
  const begun = await records.begin(await records.create("hello", changes), 300);
  await records.store.transition(begun, state, results === undefined ? {} : { results });
}

test("a project that was never built says how it is", async () => {
  await using records = await openRecords(configOf("prefix: ','\nprojects: { hello: { repo: /r/hello } }"));
  const { html, text, title } = await home(records);
  expect(title).toBe("docker-ci");
  expect(text).toContain("Not built yet. Say ,build hello in a chat");
  expect(html).not.toContain('http-equiv="refresh"');
});

test("without any project it says where they are named", async () => {
  await using records = await openRecords(configOf("{}"));
  expect((await home(records)).text).toContain(
    "No project is configured yet: name one under projects: in docker-ci.yml",
  );
});

test("a card has the state of the main branch, the latest results as links, and the coverage with its line", async () => {
  await using records = await openRecords();
  await ended(records, FAILED);
  await ended(records, PASSED, covered(60));
  await ended(records, PASSED, covered(61.9));
  // Neither another branch nor a cancelled build says how the project stands.
  const release = GitRef.parse("release");
  await ended(records, FAILED, undefined, { ref: release, revision: revisionOf("1", { ref: release }) });
  await ended(records, { kind: "cancelled", ...times, by: "ada" });
  const { html, text, title } = await home(records);
  expect(title).toBe("✔ all good · docker-ci");
  expect(text).toMatch(/hello ✔ passed .*#3 main 0000000 "Fix CloudFront origin path" by bob 3m00s · 2m ago/);
  const strip = /<ol class="strip".*?<\/ol>/.exec(html)?.[0] ?? "";
  expect(
    [...strip.matchAll(/class="cell (\w+)" href="([^"]*)"/g)].map(([, state, link]) => `${state} ${link}`),
  ).toEqual(["failed /builds/1", "passed /builds/2", "passed /builds/3", "cancelled /builds/5"]);
  expect(strip).toContain("#1 failed in 3m00s");
  expect(html).toMatch(/aria-label="coverage of the last 2 builds"/);
  expect(text).toContain("coverage 61.9%");
});

test("what is broken is in the title, with what failed, since when and whose it is", async () => {
  await using records = await openRecords();
  await ended(records, FAILED);
  const [build] = await records.builds.latest(1);
  if (build?.revision === undefined) throw new Error("no build");
  const mark = { number: build.number, sha: build.revision.sha };
  const incident: Incident = {
    project: build.project,
    branch: build.ref,
    firstBad: mark,
    since: ago(360),
    badBuilds: 1,
    suspects: [],
  };
  const unclaimed = await home(records, { incidents: async () => [incident] });
  expect(unclaimed.title).toBe("✘ hello broken · docker-ci");
  expect(unclaimed.text).toContain("✘ 1 of 3 broken: hello");
  expect(unclaimed.text).toContain("✘ broken for 6m since #1 · nobody has it: !claim hello");
  expect(unclaimed.text).toContain("step tests, exit 1");
  const branch = GitRef.parse("release");
  const claimed = await home(records, { incidents: async () => [{ ...incident, branch, claimedBy: "bob" }] });
  expect(claimed.text).toContain("✘ broken on release for 6m since #1 · bob has it");
});

test("a branch that is broken beside a good main one is named at the top, and nothing says that all is good", async () => {
  await using records = await openRecords();
  const release = GitRef.parse("release");
  await ended(records, FAILED, undefined, { ref: release, revision: revisionOf("1", { ref: release }) });
  await ended(records, PASSED);
  const incident: Incident = {
    project: ProjectName.parse("hello"),
    branch: release,
    firstBad: { number: BuildNumber.parse(1), sha: revisionOf("1").sha },
    since: ago(360),
    badBuilds: 1,
    suspects: [],
  };
  const { text, title } = await home(records, { incidents: async () => [incident] });
  expect(title).toBe("✔ main branches good · docker-ci");
  expect(text).toContain("✔ all main branches are good , broken elsewhere: hello release");
  expect(text).not.toContain("nothing is broken");
  expect((await home(records)).text).toContain("✔ nothing is broken");
});

test("what could not run is nobody's change: it is named as that, and broken only where it was before", async () => {
  await using records = await openRecords();
  await ended(records, { kind: "errored", ...times, reason: "image x cannot be pulled", tries: 2 });
  const { text, title } = await home(records);
  expect(title).toBe("▲ hello could not run · docker-ci");
  expect(text).toContain("▲ could not run: hello");
  expect(text).not.toContain("broken");
  const incident: Incident = {
    project: ProjectName.parse("hello"),
    branch: GitRef.parse("main"),
    firstBad: { number: BuildNumber.parse(1), sha: revisionOf("1").sha },
    since: ago(360),
    badBuilds: 1,
    suspects: [],
  };
  expect((await home(records, { incidents: async () => [incident] })).title).toBe("✘ hello broken · docker-ci");
});

test("what runs has a bar and says how long it will take; what waits says when it begins", async () => {
  await using records = await openRecords();
  await ended(records, PASSED);
  await records.begin(await records.create("hello"), 65);
  await records.create("hello");
  const worker = {
    name: "big-1",
    engine: "Docker",
    slots: 1,
    active: [2],
    seenAt: ago(1),
    version: "1.0.0",
    labels: [],
    draining: false,
  };
  const { html, text, title } = await home(records, { workers: async () => [worker] });
  expect(title).toBe("● 1 running · docker-ci");
  expect(html).toMatch(/<progress max="100" value="36" aria-label="hello #2">/);
  expect(text).toContain("● #2 fetching 1m05s of about 3m00s");
  expect(text).toContain("○ waiting: hello #3 in about 1m");
  // Without scripts it loads itself anew, and only then.
  expect(html).toContain('<noscript><meta http-equiv="refresh"');
  const { text: alone } = await home(records, { workers: async () => [] });
  expect(alone).toContain("▲ no worker is up: builds wait until one is");
});

test("who is logged in and may can ask for a build on it, and nobody else", async () => {
  await using records = await openRecords(
    configOf("web: { user: ada, password: correct-horse }\nprojects: { hello: { repo: /r/hello } }"),
  );
  const web = createWeb(webDeps(records));
  const authorization = `Basic ${btoa("ada:correct-horse")}`;
  for (const path of ["/", "/projects/hello"]) {
    expect(await (await web.request(path)).text()).not.toContain("<form");
    const html = await (await web.request(path, { headers: { authorization } })).text();
    expect(html).toMatch(/<form method="post" action="\/builds".*<input name="ref"/);
  }
});
