/** Which tests are found to have changed their mind, what it cost, and what `!flaky` says of it. */
import { describe, expect, test } from "vitest";
import { createFlakyLedger } from "../../src/flaky/ledger.ts";
import { clock, openRecords } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";
import { BLOB, CATALOG, PROXY, ran, stepOf, tested } from "./builds.ts";

const EVER = new Date(0);

async function openLedger() {
  const records = await openRecords();
  const ledger = createFlakyLedger(records.redis.commands, clock);
  const { project } = ran(1, [])[0];
  return {
    records,
    ledger,
    /** `TestBlobUpload #43 30s`, or `step tests #43 30s`. */
    async found(): Promise<string[]> {
      return (await ledger.events(project, EVER)).map(
        ({ test: found, step, build, lostMs }) => `${found?.name ?? `step ${step}`} #${build} ${lostMs / 1_000}s`,
      );
    },
    [Symbol.asyncDispose]: () => records[Symbol.asyncDispose](),
  };
}

describe("a test is flaky", () => {
  test("when its step passed at the second try, for the time of that try; again is no news", async () => {
    await using scene = await openLedger();
    const second = tested([], { flaky: true, tries: 2 });
    const step = { ...second, ...(second.tests && { tests: { ...second.tests, flaky: [BLOB, CATALOG] } }) };
    await scene.ledger.record(...ran(43, [step]));
    await scene.ledger.record(...ran(43, [step]));
    expect(await scene.found()).toEqual(["TestBlobUpload #43 30s", "TestCatalog #43 30s"]);
  });

  test("and the step itself, where it has no report", async () => {
    await using scene = await openLedger();
    await scene.ledger.record(...ran(43, [stepOf({ flaky: true, tries: 2, lane: { NODE: "20" }, id: "tests.1" })]));
    expect(await scene.found()).toEqual(["step tests NODE=20 #43 30s"]);
  });

  test.each([
    ["failed, then passed", [BLOB], []],
    ["passed, then failed", [], [BLOB]],
  ])("when it %s in two builds of one revision", async (_order, first, second) => {
    await using scene = await openLedger();
    await scene.ledger.record(...ran(7, [tested(first)]));
    expect(await scene.found()).toEqual([]);
    await scene.ledger.record(...ran(8, [tested(second)]));
    await scene.ledger.record(...ran(7, [tested(first)]));
    expect(await scene.found()).toEqual([`TestBlobUpload #${first.length > 0 ? 7 : 8} 60s`]);
  });

  test("also while others fail for good, and once for each build in which it failed", async () => {
    await using scene = await openLedger();
    await scene.ledger.record(...ran(1, [tested([BLOB, PROXY])]));
    await scene.ledger.record(...ran(2, [tested([PROXY])]));
    await scene.ledger.record(...ran(3, [tested([PROXY])]));
    await scene.ledger.record(...ran(4, [tested([PROXY, BLOB])]));
    expect((await scene.found()).toSorted()).toEqual(["TestBlobUpload #1 60s", "TestBlobUpload #4 60s"]);
  });

  test("when two processes record the two builds at the same moment", async () => {
    await using scene = await openLedger();
    await Promise.all([
      scene.ledger.record(...ran(1, [tested([BLOB])])),
      createFlakyLedger(scene.records.redis.open(), clock).record(...ran(2, [tested([])])),
    ]);
    expect(await scene.found()).toEqual(["TestBlobUpload #1 60s"]);
  });
});

describe("nothing is concluded", () => {
  const passing = tested([]);
  test.each([
    ["from another revision", ran(2, [passing], { sha: "1" })],
    ["from the same commit merged into another", ran(2, [passing], { base: "5" })],
    ["from other parameters", ran(2, [passing], { params: { FAST: "1" } })],
    ["from another project", ran(2, [passing], { project: "docker" })],
    ["from another lane", ran(2, [tested([], { lane: { NODE: "22" }, id: "tests.2" })])],
    [
      "from a report that does not name all that failed",
      ran(2, [tested([], { state: "failed", tests: { ...passing.tests, failed: 40 } })]),
    ],
    ["from a run of fewer tests", ran(2, [tested([], { tests: { ...passing.tests, total: 9 } })])],
    ["from a run that skipped some", ran(2, [tested([], { tests: { ...passing.tests, skipped: 1 } })])],
    ["from a step that was left out", ran(2, [stepOf({ state: "skipped", durationMs: 0 })])],
    ["from what the machinery broke", ran(2, [stepOf({ state: "errored" })])],
  ])("%s", async (_why, other) => {
    await using scene = await openLedger();
    await scene.ledger.record(...ran(1, [tested([BLOB])]));
    await scene.ledger.record(...other);
    expect(await scene.found()).toEqual([]);
  });
});

test("what is older than 90 days is forgotten, and so are builds past the last 200", async () => {
  await using scene = await openLedger();
  const retried = (number: number, daysAgo: number) => ran(number, [stepOf({ flaky: true, tries: 2 })], { daysAgo });
  await scene.ledger.record(...retried(1, 91));
  await scene.ledger.record(...retried(2, 89));
  expect(await scene.found()).toEqual(["step tests #2 30s"]);

  await scene.ledger.record(...ran(10, [tested([BLOB])], { sha: "a" }));
  for (let number = 11; number < 211; number += 1)
    await scene.ledger.record(...ran(number, [tested([])], { sha: "b" }));
  await scene.ledger.record(...ran(300, [tested([])], { sha: "a" }));
  expect(await scene.found()).toEqual(["step tests #2 30s"]);
});

describe("!flaky", () => {
  const retried = (number: number, names: readonly { suite: string; name: string }[], run = {}) => {
    const step = tested([], { flaky: true, tries: 2 });
    return ran(number, [{ ...step, ...(step.tests && { tests: { ...step.tests, flaky: [...names] } }) }], run);
  };

  test("says when there is none, and what finds them", async () => {
    await using records = await openRecords();
    const talk = openTalk(records);
    const none = "no test changed its mind at one revision in 30 days · retry_failed: 1 on a step finds them";
    expect(await talk.ask("!flaky")).toEqual([none]);
    expect(await talk.ask("!flaky docker")).toEqual([`docker: ${none} · https://ci.example.org/projects/docker`]);
    expect((await talk.ask("!flaky dokcer"))[0]).toContain("Did you mean docker?");
  });

  test("ranks by the time lost, and tells what is in quarantine", async () => {
    await using scene = await openLedger();
    const { ledger, records } = scene;
    await ledger.record(...retried(40, [BLOB, CATALOG]));
    await ledger.record(...retried(41, [BLOB]));
    await ledger.record(...retried(43, [BLOB]));
    await ledger.record(...ran(44, [stepOf({ name: "lint", flaky: true, tries: 2, durationMs: 8_000 })]));
    await ledger.record(...retried(45, [PROXY], { daysAgo: 31 }));
    await ledger.record(...retried(46, [PROXY], { project: "docker" }));
    const talk = openTalk(records);
    await talk.ask("!quarantine docker-registry TestBlobUpload 2w", { trusted: true });
    expect(await talk.ask("!flaky docker-registry")).toEqual([
      "docker-registry: 2 tests and 1 step changed their mind at one revision in 30 days · 1m lost · 1 in quarantine",
      "registry/handlers › TestBlobUpload 3 times, 1m lost, last #43 · in quarantine (ada)",
      "registry/handlers › TestCatalog once, 30s lost, last #40",
      "step lint once, 4s lost, last #44 · https://ci.example.org/projects/docker-registry",
    ]);
    expect(await talk.ask("!flaky")).toEqual([
      "docker-registry: 2 tests and 1 step changed their mind at one revision in 30 days · 1m lost · most by registry/handlers › TestBlobUpload, 3 times",
      "docker: 1 test changed its mind at one revision in 30 days · 30s lost · most by registry/proxy › TestProxy, once",
    ]);
  });

  test("is three tests and a link where there are many, and no name fills the room or colours it", async () => {
    await using scene = await openLedger();
    const odd = { suite: "", name: `\u001b[31mred\u001b[0m\n${"x".repeat(5_000)}` };
    const many = Array.from({ length: 8 }, (_, index) => ({ suite: "s", name: `t${index}` }));
    await scene.ledger.record(...retried(1, [odd]));
    await scene.ledger.record(...retried(2, [odd, ...many]));
    const lines = await openTalk(scene.records).ask("!flaky docker-registry");
    expect(lines).toHaveLength(5);
    expect(lines[1]).toMatch(/^red x{35}…x{39} twice, 1m lost, last #2$/);
    expect(lines[4]).toBe("6 more · https://ci.example.org/projects/docker-registry");
  });
});
