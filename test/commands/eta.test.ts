/** `!eta`, from real records. */
import { expect, test } from "vitest";
import { Build, type FinalState } from "../../src/builds/build.ts";
import { ago, openRecords, type Records } from "../support/records.ts";
import { openTalk, WORKER } from "../support/talk.ts";

const passed = (seconds: number): FinalState => ({ kind: "passed", startedAt: ago(seconds), finishedAt: ago(0) });
const TESTS = Build.shape.steps.element.shape.name.parse("tests");

async function ended(records: Records, project: string, ...seconds: number[]): Promise<void> {
  for (const each of seconds) await records.end(await records.begin(await records.create(project)), passed(each));
}

const one = { workers: [{ ...WORKER, slots: 1 }] };

test("of a running build: for how long, when it should end, and the 90th percentile", async () => {
  await using records = await openRecords();
  await ended(records, "docker", 240, 240, 300);
  await records.begin(await records.create("docker"), 65, { name: TESTS, index: 2, count: 3 });
  const talk = openTalk(records);
  expect(await talk.ask("!eta 4")).toEqual([
    "● docker #4 running for 1m05s · ends in about 2m55s, at 12:02 Etc/UTC · 90% of 3 builds took 5m00s at most · https://ci.example.org/builds/4",
  ]);
  await records.begin(await records.create("docker"), 250);
  expect((await talk.ask("!eta #5"))[0]).toContain(" · longer than the usual 4m00s · 90% of 3 builds took 5m00s at ");
  await records.begin(await records.create("docker"), 400);
  expect((await talk.ask("!eta 6"))[0]).toContain(" · longer than usual, so it may end at any moment or hang · 90% of");
});

test("of a queued build: its place, when it should begin and end (O-77)", async () => {
  await using records = await openRecords();
  await ended(records, "docker", 240, 240, 240);
  await records.begin(await records.create("docker"), 60);
  await records.create("docker");
  await records.create("docker");
  expect(await openTalk(records, one).ask("!eta 6")).toEqual([
    "○ docker #6 queued · 1 before it, begins in about 7m00s · ends in about 11m00s, at 12:11 Etc/UTC · takes about 4m00s · 90% of 3 builds took 4m00s at most · https://ci.example.org/builds/6",
  ]);
  expect((await openTalk(records, { workers: [] }).ask("!eta 6"))[0]).toContain("no worker is up, so nothing begins");
});

test("without history it says so, of the build itself and of those before it", async () => {
  await using records = await openRecords();
  await records.begin(await records.create("hello"), 3);
  await records.create("hello");
  const talk = openTalk(records, one);
  expect(await talk.ask("!eta 1")).toEqual([
    "● hello #1 running for 3.0s · no earlier build to tell the time from · https://ci.example.org/builds/1",
  ]);
  expect(await talk.ask("!eta 2")).toEqual([
    "○ hello #2 queued · next in line · when it begins cannot be told: there is no earlier build to tell the time from of one before it · no earlier build to tell the time from · https://ci.example.org/builds/2",
  ]);
});

test("of a build that is over: how it ended; of none: that there is none", async () => {
  await using records = await openRecords();
  await ended(records, "hello", 5);
  const talk = openTalk(records);
  expect(await talk.ask("!eta 1")).toEqual([
    "✔ hello #1 passed in 5.0s · main 0000000 · https://ci.example.org/builds/1",
  ]);
  expect(await talk.ask("!eta 9")).toEqual(["there is no build #9. The newest is #1."]);
});
