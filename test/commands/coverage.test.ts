/** `!coverage`: the total, its change and trend, and what is covered least, as FACE.md says it. */
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { Build, FinalState } from "../../src/builds/build.ts";
import { StepId } from "../../src/names.ts";
import { readCoverageReport } from "../../src/results/coverage-report.ts";
import { keepCoverage } from "../../src/results/kept-coverage.ts";
import { resultsFolder } from "../../src/results/results.ts";
import type { CoverageResult } from "../../src/results/summary.ts";
import { ago, CONFIG, configOf, openRecords, type Records, revisionOf } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PASSED: FinalState = { kind: "passed", startedAt: ago(60), finishedAt: ago(0) };

/** A build that ended with so many of a thousand statements covered, compared with the one before. */
async function cover(
  records: Records,
  covered: number,
  {
    project = "docker-registry",
    ...more
  }: Partial<CoverageResult> & { project?: string; revision?: Build["revision"] } = {},
): Promise<Build> {
  const { revision = revisionOf("0"), ...coverage } = more;
  const begun = await records.begin(await records.create(project, { revision }));
  const totals = { unit: "statements", covered, total: 1_000 } as const;
  const ended = await records.store.transition(begun, PASSED, {
    results: { coverage: { totals, change: { kind: "missing" }, ...coverage } },
  });
  if (ended === undefined) throw new Error("somebody else was quicker");
  return ended;
}

test("of a project is one line: total, change, trend, least covered, link", async () => {
  await using data = await temporaryFolder();
  await using records = await openRecords(configOf(`${CONFIG}data: ${data.path}\n`));
  const talk = openTalk(records);
  const before = await cover(records, 617);
  const build = await cover(records, 619, {
    change: { kind: "since", build: before.number, totals: { unit: "statements", covered: 617, total: 1_000 } },
    patch: { covered: 9, total: 12 },
    revision: revisionOf("7"),
  });
  const report = await readCoverageReport(
    Readable.from([
      Buffer.from(
        "mode: set\nm/storage/s3.go:1.1,2.2 70 0\nm/storage/s3.go:3.1,4.2 1 1\nm/proxy/p.go:1.1,2.2 6 0\nm/proxy/p.go:3.1,4.2 5 1\nm/all/a.go:1.1,2.2 3 1\n",
      ),
    ]),
  );
  await keepCoverage(resultsFolder(records.config.dataDir, build.number), StepId.parse("tests"), report);
  expect(await talk.ask("!coverage docker-registry")).toEqual([
    "docker-registry 61.9% of statements at main 7777777 (+0.2 since #1) ▃▆ · patch 9 of 12 lines (75.0%) · least: m/storage 1.4%, m/proxy 45.5% · https://ci.example.org/coverage/docker-registry/2/",
  ]);
  expect(talk.chat.sent.at(-1)?.reply.chart).toEqual({
    title: "docker-registry: coverage of the last 2 builds",
    unit: "percent",
    points: [
      { label: "#1", value: 61.7, tone: "passed" },
      { label: "#2", value: 61.9, tone: "passed" },
    ],
  });
});

test("is of the main branch, and leaves builds without all tests out of the trend", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  await cover(records, 500);
  await cover(records, 600, { partial: true });
  await cover(records, 900, { revision: revisionOf("9", { kind: "commit" }) });
  const [line] = await talk.ask("!coverage docker-registry");
  expect(line).toContain("docker-registry 60.0% of statements at main 0000000 (in part, as tests failed) · ");
  expect(talk.chat.sent.at(-1)?.reply.chart).toBeUndefined();
});

test("without a project is a line for each that has it; of many, three and a link", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const config = configOf(
    `url: https://ci.example.org\nprojects:\n${names.map((name) => `  ${name}: { repo: /repositories/${name} }\n`).join("")}`,
  );
  await using records = await openRecords(config);
  const talk = openTalk(records);
  for (const project of ["a", "b"]) await cover(records, 500, { project });
  expect(await talk.ask("!coverage")).toEqual([
    "a 50.0% of statements at main 0000000 · https://ci.example.org/coverage/a/1/",
    "b 50.0% of statements at main 0000000 · https://ci.example.org/coverage/b/2/",
  ]);
  for (const project of ["c", "d", "e", "f"]) await cover(records, 500, { project });
  const lines = await talk.ask("!coverage");
  expect(lines).toHaveLength(4);
  expect(lines.at(-1)).toBe("3 more · https://ci.example.org");
});

test("says that there is none, and how to get it", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  const [none] = await talk.ask("!coverage hello");
  expect(none).toMatch(/^hello has no coverage so far · coverage: in \.docker-ci\.yml names the report/);
  expect((await talk.ask("!coverage"))[0]).toMatch(/^no project has coverage so far · coverage: in/);
  expect((await talk.ask("!coverage nosuch"))[0]).toContain('no project "nosuch"');
});
