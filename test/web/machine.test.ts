/** What other programs read of us: badges, build monitors, feed readers, and whoever asks whether we are ready. */
import { parseFeed } from "htmlparser2";
import { describe, expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { announcements } from "../../src/builds/builds.ts";
import { GitRef, ProjectName } from "../../src/names.ts";
import type { WebDeps } from "../../src/web/deps.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, clock, openRecords, type Records, revisionOf } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";
import { xmlFaults } from "../support/xml.ts";

type Ended = "passed" | "failed" | "errored" | "cancelled";

interface Site extends Records {
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string; headers: Headers }>;
  /** A build that ended so, `secondsAgo` before now. */
  ended(kind: Ended, changes?: Partial<Build>, secondsAgo?: number): Promise<Build>;
}

async function openSite(changes: (records: Records) => Partial<WebDeps> = () => ({})): Promise<Site> {
  const records = await openRecords();
  const web = createWeb(webDeps(records, changes(records)));
  return {
    ...records,
    async get(path, headers = {}) {
      const response = await web.request(path, { headers });
      return { status: response.status, text: await response.text(), headers: response.headers };
    },
    async ended(kind, { results, ...build } = {}, secondsAgo = 0) {
      const running = await records.begin(await records.create(build.project ?? "docker-registry", build), 60);
      const times = { startedAt: ago(secondsAgo + 72), finishedAt: ago(secondsAgo) };
      const state = {
        passed: { kind: "passed", ...times },
        failed: { kind: "failed", ...times, reason: "step tests, exit 1" },
        errored: { kind: "errored", ...times, reason: "image golang:1.22 cannot be pulled", tries: 2 },
        cancelled: { kind: "cancelled", ...times, by: "ada" },
      } as const;
      const after = { ...running, state: state[kind] };
      const done = await records.store.transition(
        running,
        state[kind],
        results === undefined ? {} : { results },
        announcements(after, records.config.url, clock),
      );
      if (done === undefined) throw new Error("somebody else was quicker");
      return done;
    },
  };
}

const covered = (count: number, partial = false): Pick<Build, "results"> => ({
  results: {
    coverage: {
      totals: { unit: "lines", covered: count, total: 1_000 },
      change: { kind: "missing" },
      ...(partial ? { partial } : {}),
    },
  },
});
const DOCKER = ProjectName.parse("docker");
const HELLO = ProjectName.parse("hello");
const RELEASE = { ref: GitRef.parse("release"), revision: revisionOf("1", { ref: GitRef.parse("release") }) };

/** What a reader who cannot see the picture is told. */
const saidBy = (svg: string): string | undefined => /aria-label="([^"]*)"/.exec(svg)?.[1];

describe("/badge", () => {
  test.each<[Ended, string, string]>([
    ["passed", "build: passed", "#1a7337"],
    ["failed", "build: failed", "#b3261e"],
    ["errored", "build: could not run", "#7f5600"],
  ])("of a branch whose newest build %s says so in words, sign and colour", async (kind, said, colour) => {
    await using site = await openSite();
    await site.ended(kind);
    const { status, text, headers } = await site.get("/badge/docker-registry.svg");
    expect([status, headers.get("content-type"), saidBy(text)]).toEqual([200, "image/svg+xml; charset=utf-8", said]);
    expect(text).toContain(`<title>${said}</title>`);
    expect(text).toContain(`fill="${colour}"`);
    expect(text).toContain('<g transform="translate(');
  });

  test("is of the main branch, or of the one that was asked for", async () => {
    await using site = await openSite();
    await site.ended("passed");
    await site.ended("failed", RELEASE);
    expect(saidBy((await site.get("/badge/docker-registry.svg")).text)).toBe("build: passed");
    expect(saidBy((await site.get("/badge/docker-registry.svg?branch=release")).text)).toBe("build: failed");
    expect(saidBy((await site.get("/badge/docker-registry.svg?branch=none")).text)).toBe("build: no builds");
  });

  test("says nothing of builds that were cancelled, run still, or are of a tag or a bare commit", async () => {
    await using site = await openSite();
    await site.ended("passed");
    await site.ended("cancelled");
    await site.ended("failed", { revision: revisionOf("2", { kind: "tag" }) });
    await site.ended("failed", { revision: revisionOf("3", { kind: "commit" }) });
    await site.begin(await site.create());
    expect(saidBy((await site.get("/badge/docker-registry.svg")).text)).toBe("build: passed");
  });

  test.each(["/badge/nosuch.svg", "/badge/nosuch/coverage.svg", "/badge/hello.svg?branch=a..b", "/badge/%3Cb%3E.svg"])(
    "%s is grey, unknown and 404",
    async (path) => {
      await using site = await openSite();
      const { status, text } = await site.get(path);
      expect([status, saidBy(text)?.split(": ")[1]]).toEqual([404, "unknown"]);
      expect(text).not.toContain("#1a7337");
    },
  );

  test("of coverage is of the newest build that covers the whole", async () => {
    await using site = await openSite();
    expect(saidBy((await site.get("/badge/docker-registry/coverage.svg")).text)).toBe("coverage: unknown");
    await site.ended("failed", covered(110, true));
    expect(saidBy((await site.get("/badge/docker-registry/coverage.svg")).text)).toBe("coverage: 11.0% in part");
    await site.ended("passed", covered(619));
    await site.ended("failed", covered(300, true));
    await site.ended("passed");
    expect(saidBy((await site.get("/badge/docker-registry/coverage.svg")).text)).toBe("coverage: 61.9%");
  });

  test("is asked for again after a minute, and then is new only when the branch is", async () => {
    await using site = await openSite();
    await site.ended("passed");
    const first = await site.get("/badge/docker-registry.svg");
    expect(first.headers.get("cache-control")).toBe("max-age=60");
    const etag = first.headers.get("etag") ?? "";
    expect((await site.get("/badge/docker-registry.svg", { "if-none-match": etag })).status).toBe(304);
    await site.ended("failed");
    expect((await site.get("/badge/docker-registry.svg", { "if-none-match": etag })).status).toBe(200);
  });
});

describe("/cc.xml", () => {
  test("is valid and says of every main branch what a monitor shows", async () => {
    await using site = await openSite();
    await site.ended("failed", { project: DOCKER });
    await site.ended("passed", {}, 30);
    await site.begin(await site.create());
    await site.ended("failed", RELEASE);
    const { text, headers } = await site.get("/cc.xml");
    expect(headers.get("content-type")).toBe("application/xml; charset=utf-8");
    expect(await xmlFaults(text, "cctray.xsd")).toEqual([]);
    const projects = [...text.matchAll(/<Project ([^>]*)\/>/g)].map((match) => match[1]);
    expect(projects).toEqual([
      'name="docker" activity="Sleeping" lastBuildStatus="Failure" lastBuildLabel="1" lastBuildTime="2026-03-01T12:00:00.000Z" webUrl="https://ci.example.org/projects/docker"',
      'name="docker-registry" activity="Building" lastBuildStatus="Success" lastBuildLabel="2" lastBuildTime="2026-03-01T11:59:30.000Z" webUrl="https://ci.example.org/projects/docker-registry"',
      'name="hello" activity="Sleeping" lastBuildStatus="Unknown" lastBuildTime="1970-01-01T00:00:00.000Z" webUrl="https://ci.example.org/projects/hello"',
    ]);
  });

  test("calls what could not run an exception", async () => {
    await using site = await openSite();
    await site.ended("errored");
    const { text } = await site.get("/cc.xml");
    expect(text).toContain('lastBuildStatus="Exception"');
    expect(await xmlFaults(text, "cctray.xsd")).toEqual([]);
  });
});

describe("/feed.xml (O-81)", () => {
  test("is valid Atom with an entry for every build that ended, the last one first", async () => {
    await using site = await openSite();
    await site.ended("passed", {}, 100);
    await site.ended("failed", { project: HELLO }, 10);
    await site.ended("cancelled", {}, 50);
    await site.begin(await site.create());
    const { text, headers } = await site.get("/feed.xml");
    expect(headers.get("content-type")).toBe("application/atom+xml; charset=utf-8");
    expect(await xmlFaults(text, "atom.rng")).toEqual([]);
    const feed = parseFeed(text);
    expect([feed?.type, feed?.id, feed?.title, feed?.updated]).toEqual([
      "atom",
      "https://ci.example.org/feed.xml",
      "docker-ci",
      new Date(ago(10)),
    ]);
    expect(feed?.items.map(({ title, link }) => [title, link])).toEqual([
      ["✘ hello #2 failed in 1m12s · main 0000000 by bob · step tests, exit 1", "https://ci.example.org/builds/2"],
      ["■ docker-registry #3 cancelled by ada · main 0000000", "https://ci.example.org/builds/3"],
      ["✔ docker-registry #1 passed in 1m12s · main 0000000", "https://ci.example.org/builds/1"],
    ]);
  });

  test("is there of one project, of one branch and of failures alone", async () => {
    await using site = await openSite();
    await site.ended("passed");
    await site.ended("failed", { project: HELLO });
    await site.ended("errored", RELEASE);
    const numbers = async (path: string): Promise<string[]> => {
      const { text } = await site.get(path);
      expect(await xmlFaults(text, "atom.rng")).toEqual([]);
      return (parseFeed(text)?.items ?? []).map(({ id }) => id?.split("/").at(-1) ?? "");
    };
    expect(await numbers("/feed/docker-registry.xml")).toEqual(["3", "1"]);
    expect(await numbers("/feed/docker-registry.xml?branch=main")).toEqual(["1"]);
    expect(await numbers("/feed.xml?failures_only=true")).toEqual(["3", "2"]);
    expect(await numbers("/feed/docker.xml")).toEqual([]);
    expect((await site.get("/feed/nosuch.xml")).status).toBe(404);
    expect((await site.get("/feed.xml?branch=a..b")).status).toBe(404);
  });

  test("stays valid with whatever a commit says", async () => {
    await using site = await openSite();
    const hostile = '\u0000\u001b[31m]]></title><script>alert(1)</script> & "quoted" \ud800 \uffff \u{1f600}';
    await site.ended("failed", { revision: revisionOf("0", { title: hostile, author: "\u0007" }) });
    const { text } = await site.get("/feed.xml");
    expect(await xmlFaults(text, "atom.rng")).toEqual([]);
    expect(text).not.toContain("<script>");
    expect(text).toContain("<name>docker-ci</name>");
    expect(text).toContain("😀");
  });

  test("is not sent again to a reader who has it", async () => {
    await using site = await openSite();
    await site.ended("passed");
    const etag = (await site.get("/feed.xml")).headers.get("etag") ?? "";
    expect((await site.get("/feed.xml", { "if-none-match": etag })).status).toBe(304);
  });
});

describe("/readyz", () => {
  const worker = {
    name: "big-1",
    engine: "Docker",
    slots: 2,
    active: [],
    seenAt: ago(1),
    version: "1.0.0",
    labels: [],
    draining: false,
  };
  const up = { health: async () => ({ libera: "connected", mail: "away" }), workers: async () => [worker] };
  const never = new Promise<never>(() => undefined);

  test.each<[string, Partial<WebDeps>, number, Record<string, unknown>]>([
    ["all is there", up, 200, { ready: true, redis: "ok", chat: "ok", workers: "ok" }],
    ["there is no chat to wait for", { ...up, health: async () => ({ mail: "away" }) }, 200, { ready: true }],
    [
      "only mail is connected",
      { ...up, health: async () => ({ libera: "away", mail: "connected" }) },
      503,
      { ready: false, redis: "ok", chat: "no chat is connected (libera: away)", workers: "ok" },
    ],
    [
      "nobody works",
      { ...up, workers: async () => [] },
      503,
      { ready: false, workers: "no worker was heard of in the last seconds" },
    ],
    [
      "Redis is away",
      { ...up, health: () => Promise.reject(new Error("Connection is closed.")) },
      503,
      { ready: false, redis: "Connection is closed.", chat: "not known" },
    ],
    ["Redis hangs", { ...up, health: () => never }, 503, { ready: false, redis: "no answer within 2 seconds" }],
  ])("when %s", async (_, changes, expected, state) => {
    await using site = await openSite(() => changes);
    const { status, text, headers } = await site.get("/readyz");
    expect([status, headers.get("cache-control")]).toEqual([expected, "no-store"]);
    expect(JSON.parse(text)).toMatchObject(state);
  });
});
