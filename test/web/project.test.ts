/** `/projects/:project`, in whole and page by page, and `/builds`. */
import { expect, test } from "vitest";
import { BuildNumber, GitRef, type ProjectName } from "../../src/names.ts";
import { BuildResults } from "../../src/results/summary.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, openRecords, type Records, revisionOf } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";

async function page(records: Records, path: string, changes: Parameters<typeof webDeps>[1] = {}) {
  const response = await createWeb(webDeps(records, changes)).request(path);
  const html = await response.text();
  const text = html
    .replace(/<[^>]*>/g, " ")
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, " ");
  return { status: response.status, html, text, title: /<title>(.*)<\/title>/.exec(html)?.[1] };
}

const linked = (html: string): number[] =>
  [...html.matchAll(/<td><a href="\/builds\/(\d+)"><span class="whole">#\d/g)].map(([, number]) => Number(number));

test("says what it is, how it stands, what comes next, and has badges to copy", async () => {
  await using records = await openRecords();
  await records.create("docker");
  const ended = { startedAt: ago(72), finishedAt: ago(0) };
  await records.end(await records.begin(await records.create("hello")), { kind: "passed", ...ended });
  await records.create("hello");
  const { html, text, title } = await page(records, "/projects/hello");
  expect(title).toBe("✔ hello");
  expect(text).toContain("hello ✔ passed /repositories/hello , branch main");
  expect(linked(html)).toEqual([3, 2]);
  expect(text).toContain("No test changed its mind at one revision in 30 days.");
  expect(text).toContain("It is built when somebody says !build hello");
  const badge = "[![build](https://ci.example.org/badge/hello.svg)](https://ci.example.org/projects/hello)";
  expect(text).toContain(badge);
  expect(html).not.toContain('id="trend-numbers"');
});

test("has the newest build of every branch", async () => {
  await using records = await openRecords();
  const release = GitRef.parse("release");
  await records.create("hello", { ref: release, revision: revisionOf("1", { ref: release, title: "Release 1" }) });
  await records.create("hello");
  await records.create("hello");
  const { html } = await page(records, "/projects/hello");
  const branches = /<section aria-labelledby="branches">.*?<\/section>/.exec(html)?.[0] ?? "";
  expect(
    [...branches.matchAll(/<th scope="row">(\w+)<.*?\/builds\/(\d+)/g)].map(([, name, build]) => [name, build]),
  ).toEqual([
    ["main", "3"],
    ["release", "1"],
  ]);
});

test("goes back and forth through the past, page by page, with the place in the address", async () => {
  await using records = await openRecords();
  for (let count = 0; count < 60; count += 1) await records.create("hello");
  const first = await page(records, "/projects/hello");
  expect(linked(first.html)).toEqual(Array.from({ length: 25 }, (_, index) => 60 - index));
  expect(first.html).toContain('<a href="/projects/hello?before=36" rel="next">');
  const second = await page(records, "/projects/hello?before=36");
  expect(linked(second.html)[0]).toBe(35);
  expect(second.text).not.toContain("Badges");
  expect(second.html).toContain('<a href="/projects/hello?after=35" rel="prev">');
  const last = await page(records, "/projects/hello?before=11");
  expect(linked(last.html)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(last.text).not.toContain("older");
  expect(linked((await page(records, "/projects/hello?after=35")).html)[0]).toBe(60);
  for (const nonsense of ["abc", "-1", "1e3", "99999999999999999999", ""]) {
    expect(linked((await page(records, `/projects/hello?before=${nonsense}`)).html)[0]).toBe(60);
  }
});

test("its trends are a table for who does not see them: whole builds of the main branch only", async () => {
  await using records = await openRecords();
  const result = (covered: number, failed: number) =>
    BuildResults.parse({
      tests: { total: 200, failed, skipped: 0, durationMs: 1, failing: [], flaky: [], slowest: [] },
      coverage: {
        totals: { unit: "lines", covered, total: 1_000 },
        change: { kind: "missing" },
        ...(failed === 0 ? {} : { partial: true }),
      },
    });
  const end = async (seconds: number, results: BuildResults, cancelled = false) => {
    const state = { startedAt: ago(seconds), finishedAt: ago(0) };
    const begun = await records.begin(await records.create("hello"));
    await records.store.transition(
      begun,
      cancelled ? { kind: "cancelled", ...state, by: "ada" } : { kind: "passed", ...state },
      { results },
    );
  };
  await end(60, result(600, 0));
  await end(90, result(300, 5));
  await end(5, result(600, 0), true);
  await end(72, result(619, 0));
  const { html } = await page(records, "/projects/hello");
  const table = /<table id="trend-numbers">.*?<\/table>/.exec(html)?.[0] ?? "";
  const rows = [...table.matchAll(/<tr><td>.*?<\/tr>/g)].map(([row]) =>
    row
      .replace(/<[^>]*>/g, " ")
      .trim()
      .split(/\s+/),
  );
  expect(rows).toEqual([
    ["#4", "1m12s", "61.9%", "100.0%"],
    ["#2", "1m30s", "97.5%"],
    ["#1", "1m00s", "60.0%", "100.0%"],
  ]);
});

test("lists what changed its mind, and what that cost", async () => {
  await using records = await openRecords();
  const sha = revisionOf("0").sha;
  const build = BuildNumber.parse(7);
  const flaky = {
    events: async (project: ProjectName) =>
      project === "hello"
        ? [{ test: { suite: "blobs", name: "<b>Upload" }, step: "tests", build, sha, lostMs: 61_000, at: ago(60) }]
        : [],
  };
  const { html, text } = await page(records, "/projects/hello", { flaky });
  expect(html).toContain("&lt;b&gt;Upload");
  expect(text).toMatch(/Upload\s+1\s+1m\s+#7/);
});

test("a project that there is not is not there", async () => {
  await using records = await openRecords();
  for (const path of ["/projects/nowhere", "/projects/..%2f..%2fetc"])
    expect((await page(records, path)).status).toBe(404);
});

test("/builds is those of all projects, the newest first", async () => {
  await using records = await openRecords();
  await records.create("hello");
  await records.create("docker");
  const { text, title } = await page(records, "/builds");
  expect(title).toBe("Builds: #1 to #2");
  expect(text).toMatch(/docker #2 ○ queued .* hello #1 ○ queued/);
});

test("what changed and was not built is listed with the reason", async () => {
  await using records = await openRecords();
  const { project } = await records.create("docker");
  const ref = GitRef.parse("main");
  const superseded = { project, ref, sha: revisionOf("3").sha, reason: "superseded by #48", at: ago(120) };
  const skipped = async () => [superseded];
  expect((await page(records, "/projects/docker", { skipped })).text).toMatch(
    /Not built main 3333333 : superseded by #48, 2m ago/,
  );
  expect((await page(records, "/projects/hello", { skipped })).text).not.toContain("Not built");
});
