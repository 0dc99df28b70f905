/** O-80: the waterfall as a page, complete without a script. */
import { describe, expect, test } from "vitest";
import type { FinalState } from "../../../src/builds/build.ts";
import { GitRef, StepName } from "../../../src/names.ts";
import { createWeb } from "../../../src/web/web.tsx";
import { ADA, ago, openRecords, type Records, revisionOf } from "../../support/records.ts";
import { webDeps } from "../../support/web-deps.ts";

interface Seen {
  readonly status: number;
  readonly title: string;
  /** Without the markup. */
  readonly text: string;
  readonly html: string;
  /** Where it sends to. */
  readonly location: string | null;
}

interface Site extends Records {
  look(path: string): Promise<Seen>;
}

async function openSite(): Promise<Site> {
  const records = await openRecords();
  const worker = {
    name: "big-1",
    engine: "x",
    slots: 1,
    active: [],
    seenAt: ago(1),
    version: "1.0.0",
    labels: [],
    draining: false,
  };
  const app = createWeb(webDeps(records, { workers: async () => [worker] }));
  return {
    ...records,
    async look(path) {
      const response = await app.request(path);
      const html = await response.text();
      return {
        status: response.status,
        title: /<title>(.*)<\/title>/.exec(html)?.[1] ?? "",
        text: html
          .replace(/<[^>]*>/g, " ")
          .replaceAll("&quot;", '"')
          .replace(/\s+/g, " "),
        html,
        location: response.headers.get("location"),
      };
    },
  };
}

const minutes = (from: number, to: number) => ({ startedAt: ago(from * 60), finishedAt: ago(to * 60) });

async function built(
  site: Site,
  project: string,
  end: FinalState,
  more: { ref?: string; author?: string; sha?: string } = {},
) {
  const { ref: name = "main", author = "bob", sha = "3" } = more;
  const ref = GitRef.parse(name);
  const build = await site.create(project, { ref, revision: revisionOf(sha, { ref, author }) });
  return site.end(await site.begin(build), end);
}

/** The numbers of the builds that a page has, in the order in which it has them. */
const blocks = ({ html }: Seen): number[] =>
  [...html.matchAll(/class="block[^>]*><a href="\/builds\/(\d+)"/g)].map(([, number]) => Number(number));

describe("/waterfall", () => {
  test("has a column for each project, a block for each build with its sign, word and length, and the changes with who made them (O-08, O-09)", async () => {
    await using site = await openSite();
    await built(site, "hello", { kind: "passed", ...minutes(62, 60) }, { author: "eve", sha: "9" });
    await built(site, "docker", { kind: "failed", ...minutes(20, 18.8), reason: "step tests, exit 1" });
    const seen = await site.look("/waterfall");
    expect([seen.status, seen.title]).toEqual([200, "✘ waterfall: docker did not pass"]);
    expect(seen.html).toMatch(/<th scope="col"[^>]*><a href="\/projects\/docker">docker<\/a>/);
    expect(seen.html).toContain('<a href="/waterfall" aria-current="page">Waterfall</a>');
    expect(seen.text).toMatch(/ docker-ci 1\.0\.0 $/);
    expect(blocks(seen)).toEqual([2, 1]);
    expect(seen.text).toContain("#2 ✘ failed step tests, exit 1 · 1m12s");
    expect(seen.text).toContain("nothing ran for 40m");
    expect(seen.text).toMatch(/11:40 bob 3333333 Fix CloudFront origin path/);
    expect(seen.text).toMatch(/10:58 eve 9999999 Fix CloudFront origin path/);
    expect(seen.html).not.toContain('http-equiv="refresh"');
  });

  test("shows what runs with its progress and when it should be over, what waits and when it should begin, and looks again by itself", async () => {
    await using site = await openSite();
    await built(site, "docker", { kind: "passed", ...minutes(60, 56) });
    await site.begin(await site.create("docker"), 60, { name: StepName.parse("tests"), index: 2, count: 3 });
    await site.create("hello");
    const seen = await site.look("/waterfall");
    expect(seen.title).toBe("● waterfall: all passed, 1 running");
    expect(seen.html).toMatch(/<progress max="100" value="25" aria-label="#2, 25%">/);
    expect(seen.text).toMatch(/#2 ● running tests · 1m00s about 3m00s left/);
    expect(seen.text).toMatch(/#3 ○ queued next in line, begins in 3m00s/);
    expect(seen.html).toContain('<noscript><meta http-equiv="refresh"');
  });

  test.each<[query: string, expected: number[]]>([
    ["", [5, 4, 3, 2, 1]],
    ["?project=docker", [4, 3, 2]],
    ["?project=docker&branch=release", [3]],
    ["?person=eve", [4]],
    ["?failures=only", [5, 2]],
    ["?project=docker&failures=only", [2]],
    ["?person=nobody", []],
  ])("%s leaves the builds that are like that, and the form says what was chosen", async (query, expected) => {
    await using site = await openSite();
    await built(site, "hello", { kind: "passed", ...minutes(90, 89) });
    await built(site, "docker", { kind: "failed", ...minutes(80, 79), reason: "step tests, exit 1" });
    await built(site, "docker", { kind: "passed", ...minutes(70, 69) }, { ref: "release" });
    await built(site, "docker", { kind: "passed", ...minutes(60, 59) }, { author: "eve" });
    await built(site, "hello", { kind: "errored", ...minutes(50, 49), reason: "no space left", tries: 2 });
    const seen = await site.look(`/waterfall${query}`);
    expect(blocks(seen)).toEqual(expected);
    for (const [name, value] of new URLSearchParams(query)) {
      const chosen = { project: 'value="docker" selected', failures: "checked" }[name] ?? `value="${value}"`;
      expect(seen.html).toContain(chosen);
    }
    if (expected.length === 0) expect(seen.text).toContain("No build is like that.");
  });

  test.each([
    ["?project=&branch=&person=", "/waterfall"],
    ["?project=docker&branch=&person=&failures=only", "/waterfall?project=docker&failures=only"],
    ["?show=docker&committer=bob&failures_only=true&reload=60", "/waterfall?project=docker&person=bob&failures=only"],
    ["?builder=docker&before=x", "/waterfall?project=docker"],
  ])("%s is led to %s: a form that was sent, a link of Buildbot's days", async (query, address) => {
    await using site = await openSite();
    const { status, location } = await site.look(`/waterfall${query}`);
    expect([status, location]).toEqual([302, address]);
    expect((await site.look(address)).status).toBe(200);
  });

  test("a project that there is none of is told with the nearest name, and nothing is shown for it", async () => {
    await using site = await openSite();
    await built(site, "docker", { kind: "passed", ...minutes(5, 4) });
    const seen = await site.look("/waterfall?project=dokcer");
    expect([seen.status, blocks(seen)]).toEqual([404, []]);
    expect(seen.text).toContain('no project "dokcer". Did you mean docker?');
    expect((await site.look("/waterfall?project=%3Cb%3E")).status).toBe(404);
  });

  test("older pages and back, with the filters kept; only the newest looks again by itself", async () => {
    await using site = await openSite();
    for (let count = 0; count < 51; count += 1)
      await built(site, "hello", { kind: "passed", ...minutes(99 - count, 98.5 - count) });
    await site.create("hello");
    const link = (seen: Seen, rel: string) =>
      new RegExp(`<a href="([^"]*)" rel="${rel}">`).exec(seen.html)?.[1]?.replaceAll("&amp;", "&");
    const first = await site.look("/waterfall?project=hello");
    expect([blocks(first).length, link(first, "prev")]).toEqual([50, undefined]);
    const older = await site.look(link(first, "next") ?? "");
    expect([link(first, "next"), blocks(older)]).toEqual(["/waterfall?project=hello&before=3", [2, 1]]);
    expect(older.html).not.toContain('http-equiv="refresh"');
    const back = await site.look(link(older, "prev") ?? "");
    expect(blocks(back)).toEqual(blocks(first));
  });

  test("what comes from outside is text: titles, authors, branches, reasons and what stands in the address", async () => {
    await using site = await openSite();
    const evil = '"><script>alert(1)</script>';
    const revision = revisionOf("0", { title: evil, author: evil });
    const build = await site.begin(await site.create("docker", { revision, requester: { ...ADA, name: evil } }));
    await site.end(build, { kind: "failed", ...minutes(5, 4), reason: evil });
    for (const path of ["/waterfall", `/waterfall?person=${encodeURIComponent(evil)}`]) {
      const seen = await site.look(path);
      const { html } = seen.location === null ? seen : await site.look(seen.location);
      expect(html).not.toContain("<script>");
      expect(html).toContain("&lt;script&gt;alert(1)");
      expect(blocks({ ...seen, html })).toEqual([1]);
    }
  });

  test("with no build at all it says so", async () => {
    await using site = await openSite();
    const { text, title } = await site.look("/waterfall");
    expect(text).toContain("There are no builds yet.");
    expect(title).toBe("waterfall: no builds");
  });
});
