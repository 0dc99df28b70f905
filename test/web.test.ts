/** The pages behind the links in chat, with real records and real logs. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Build, type BuildState } from "../src/builds/build.ts";
import { BuildLog } from "../src/builds/build-log.ts";
import { createLiveLogs, publishLive } from "../src/builds/live-log.ts";
import { lastLines, openLog } from "../src/builds/log-files.ts";
import { createWeb } from "../src/web/web.tsx";
import { ago, openRecords, type Records, revisionOf } from "./support/records.ts";
import { waitFor } from "./support/wait-for.ts";
import { webDeps } from "./support/web-deps.ts";

const STEPS = Build.shape.steps.parse([
  { name: "image", kind: "build", state: "passed", durationMs: 21_000, image: "x" },
  { name: "tests", kind: "run", state: "failed", durationMs: 48_000, meaning: "exit 1" },
  { name: "publish", kind: "run", state: "skipped", durationMs: 0 },
]);
const TESTS = Build.shape.steps.element.shape.name.parse("tests");

interface Site extends Records {
  readonly folder: string;
  /** Status and text of a page. */
  page(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string; headers: Headers }>;
  writeLog(number: number): Promise<BuildLog>;
}

async function openSite(): Promise<Site> {
  const records = await openRecords();
  const { redis, log } = records;
  const folder = join(records.dataDir, "logs");
  const live = createLiveLogs(redis.open, log);
  const deps = webDeps(records, {
    openLog: (number) => openLog(folder, number),
    logLines: async (number, count) => {
      const whole = await openLog(folder, number);
      return whole === undefined ? undefined : lastLines(whole, count);
    },
    followLog: (number, signal, after) => live.follow(number, signal, after),
    async health() {
      await redis.commands.ping();
      return { libera: "connected" };
    },
  });
  const app = createWeb(deps);
  return {
    ...records,
    folder,
    async page(path, headers = {}) {
      const response = await app.request(path, { headers });
      return { status: response.status, text: await response.text(), headers: response.headers };
    },
    writeLog: (number) =>
      BuildLog.open({
        folder,
        number,
        limitBytes: 1024 ** 2,
        publish: publishLive(redis.commands, Build.shape.number.parse(number), log),
      }),
  };
}

/** What a reader sees of a page: its text without the markup. */
const readable = (html: string): string =>
  html
    .replace(/<[^>]*>/g, " ")
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, " ")
    .trim();
const titleOf = (html: string): string | undefined => /<title>(.*)<\/title>/.exec(html)?.[1];

describe("/builds/:n", () => {
  const ended = { startedAt: ago(72), finishedAt: ago(0) };
  test.each<[BuildState, string, string[]]>([
    [{ kind: "queued" }, "○ hello #1", ["hello #1 ○ queued", "There is no log yet."]],
    [
      { kind: "running", startedAt: ago(60), worker: "big-1", step: { name: TESTS, index: 2, count: 3 } },
      "● hello #1",
      ["hello #1 ● running", "Now step 2 of 3, tests on big-1"],
    ],
    [{ kind: "running", startedAt: ago(60), worker: "big-1" }, "● hello #1", ["Now fetching on big-1"]],
    [{ kind: "passed", ...ended }, "✔ hello #1", ["hello #1 ✔ passed", "Time 1m12s"]],
    [
      { kind: "failed", ...ended, reason: "step tests, exit 1" },
      "✘ hello #1",
      ["hello #1 ✘ failed step tests, exit 1", "tests ✘ failed 48s exit 1", "publish ○ skipped"],
    ],
    [
      { kind: "errored", ...ended, reason: "image x cannot be pulled (no such host)", tries: 2 },
      "▲ hello #1",
      ["hello #1 ▲ could not run image x cannot be pulled (no such host)"],
    ],
    [
      { kind: "cancelled", finishedAt: ago(0), by: "ada", reason: "superseded" },
      "■ hello #1",
      ["hello #1 ■ cancelled superseded", "Cancelled by ada"],
    ],
  ])("shows a build that is %o, and its title says so", async (state, title, phrases) => {
    await using site = await openSite();
    const build = await site.create("hello");
    const steps = state.kind === "failed" ? STEPS : [];
    if (state.kind !== "queued") await site.store.transition(build, state, { steps });
    const { status, text } = await site.page("/builds/1");
    expect([status, titleOf(text)]).toEqual([200, title]);
    for (const phrase of phrases) expect(readable(text)).toContain(phrase);
    expect(readable(text)).toContain('Revision main 0000000 "Fix CloudFront origin path" by bob');
    expect(readable(text)).toContain("Asked by ada on fake, 2026-03-01 11:50 UTC");
    // It looks again by itself while there is something to come.
    expect(text.includes('http-equiv="refresh"')).toBe(state.kind === "queued" || state.kind === "running");
  });

  test("shows the end of its log, and links to all of it and to the build that it repeats", async () => {
    await using site = await openSite();
    const build = await site.create("hello");
    await site.end(await site.begin(build), { kind: "passed", ...ended });
    await site.create("hello", { rebuildOf: build.number });
    const log = await site.writeLog(1);
    for (let line = 1; line <= 100; line += 1) await log.line(`line ${line}`);
    await log.close();
    const { text } = await site.page("/builds/1");
    expect(text).toContain('<a href="/builds/1/log">');
    expect(/<pre[^>]*>([^<]*)<\/pre>/.exec(text)?.[1]?.split("\n")).toEqual(
      Array.from({ length: 60 }, (_, index) => `line ${index + 41}`),
    );
    expect((await site.page("/builds/2")).text).toContain('<a href="/builds/1">#1</a>');
  });

  test.each([
    "/builds/7",
    "/builds/0",
    "/builds/-1",
    "/builds/abc",
    "/builds/1.5",
    "/builds/1e99",
    "/builds/7/log",
    "/nowhere",
  ])("%s is not there, and the page says so", async (path) => {
    await using site = await openSite();
    await site.create("hello");
    const { status, text } = await site.page(path);
    expect([status, titleOf(text)]).toEqual([404, "Not found"]);
    expect(readable(text)).toMatch(/There is (no build of that number|nothing at this address)\./);
  });
});

describe("what comes from outside", () => {
  test("is text, never markup: titles, authors, people, reasons and logs", async () => {
    await using site = await openSite();
    const evil = '"><script>alert(1)</script>&amp;';
    const build = await site.create("hello", { revision: revisionOf("0", { title: evil, author: evil }) });
    const requester = { ...build.requester, name: evil };
    const running = await site.begin({ ...build, requester });
    await site.end(running, { kind: "failed", startedAt: ago(5), finishedAt: ago(0), reason: evil });
    const log = await site.writeLog(1);
    await log.line(evil);
    await log.close();
    for (const path of ["/", "/builds/1", "/projects/hello"]) {
      const { text } = await site.page(path);
      expect(text).not.toContain("<script>");
      expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;");
    }
    const whole = await site.page("/builds/1/log");
    expect(whole.text).toBe(`${evil}\n`);
    expect(whole.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  });

  test("every answer forbids scripts in a page and from elsewhere, frames and guessing of types", async () => {
    await using site = await openSite();
    await site.create("hello");
    for (const path of ["/", "/builds/1", "/builds/1/log", "/nowhere", "/healthz", "/assets/style.css"]) {
      const { headers } = await site.page(path);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect([
        headers.get("x-frame-options"),
        headers.get("x-content-type-options"),
        headers.get("referrer-policy"),
      ]).toEqual(["DENY", "nosniff", "no-referrer"]);
    }
  });
});

describe("/builds/:n/log (O-83)", () => {
  test("is the whole log as text, while it runs and after", async () => {
    await using site = await openSite();
    await site.begin(await site.create("hello"));
    const log = await site.writeLog(1);
    const text = Array.from({ length: 50_000 }, (_, index) => `line ${index} ✔\n`).join("");
    await log.write(Buffer.from(text), { step: "tests", output: { stdout: Buffer.byteLength(text), stderr: 0 } });
    await log.flush();
    expect((await site.page("/builds/1/log")).text).toBe(text);
    await log.close();
    expect((await site.page("/builds/1/log")).text).toBe(text);
  });

  test("of a queued build says that there is none yet; of one whose log is gone it is not there", async () => {
    await using site = await openSite();
    await site.create("hello");
    const { status, text } = await site.page("/builds/1/log");
    expect([status, text]).toEqual([200, "There is no log yet.\n"]);
    await site.end(await site.begin(await site.create("hello")), {
      kind: "passed",
      startedAt: ago(5),
      finishedAt: ago(0),
    });
    expect((await site.page("/builds/2/log")).status).toBe(404);
  });

  test("followed live it is chunks with the places behind them, from the beginning of what is live, then the end and its state", async () => {
    await using site = await openSite();
    const build = await site.begin(await site.create("hello"));
    const log = await site.writeLog(1);
    await log.line("line 1 ✔");
    await log.flush();
    const following = site.page("/builds/1/log", { accept: "text/event-stream" });
    await log.line('line 2 <b> "quoted"\r');
    await log.flush();
    await log.close();
    await site.end(build, { kind: "passed", startedAt: ago(5), finishedAt: ago(0) });

    const { headers, text } = await following;
    expect(headers.get("content-type")).toContain("text/event-stream");
    const events = text
      .split("\n\n")
      .filter((event) => event !== "")
      .map((event) =>
        Object.fromEntries(event.split("\n").map((field) => /^(\w+): ?(.*)$/.exec(field)?.slice(1) ?? [])),
      );
    const chunks = events.filter(({ event }) => event === "chunk");
    expect(chunks.map(({ data }) => String(JSON.parse(data ?? ""))).join("")).toBe('line 1 ✔\nline 2 <b> "quoted"\r\n');
    // A follower that comes back says with it where it was.
    expect(chunks.at(-1)?.id).toBe("32");
    expect(events.slice(-2)).toEqual([
      { event: "build", data: "passed" },
      { event: "end", data: "passed" },
    ]);
  });
});

describe("/healthz", () => {
  test("is well while Redis answers, and says how the chats are (O-09)", async () => {
    await using site = await openSite();
    const { status, text } = await site.page("/healthz");
    expect([status, JSON.parse(text)]).toEqual([200, { status: "ok", version: "1.0.0", libera: "connected" }]);
  });

  test("is unwell, with a reason, while Redis is away, when pages say so too; and all is well when it is back", async () => {
    await using site = await openSite();
    await site.create("hello");
    const pid = await site.pid();
    // Stopped, not ended: it would be started again at once. It holds its connections and answers nobody.
    process.kill(pid, "SIGSTOP");
    const [health, page, build] = await Promise.all([site.page("/healthz"), site.page("/"), site.page("/builds/1")]);
    process.kill(pid, "SIGCONT");
    expect([health.status, JSON.parse(health.text)]).toEqual([
      503,
      { status: "unwell", version: "1.0.0", reason: "Command timed out" },
    ]);
    for (const { status, text } of [page, build]) {
      expect([status, text]).toEqual([503, "Redis does not answer. Try again in a minute; the log has the details.\n"]);
    }
    await waitFor("Redis to be back", async () => (await site.page("/healthz")).status === 200);
    expect((await site.page("/builds/1")).status).toBe(200);
  });
});
