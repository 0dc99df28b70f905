/** The pages beside the builds: workers, audit, schedule, releases. */
import { expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import type { Config } from "../../src/config.ts";
import type { WorkerStatus } from "../../src/queue/worker-status.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, clock, configOf, openRecords } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";

interface Shown {
  readonly status: number;
  readonly html: string;
  readonly text: string;
  readonly title: string;
}

async function show(
  path: string,
  options: {
    config?: Config;
    workers?: WorkerStatus[];
    acts?: number;
    headers?: Record<string, string>;
  } = {},
): Promise<Shown> {
  await using records = await openRecords(options.config);
  const audit = createAudit(records.redis.commands, clock);
  for (let count = 1; count <= (options.acts ?? 0); count += 1) {
    await audit.record({
      who: "ada",
      account: "libera/ada-account",
      room: "libera/#docker-dev",
      action: "cancel",
      detail: count === 1 ? "1 <b>: takes the role developer" : `${count}`,
      outcome: count === 1 ? "refused" : "accepted",
    });
  }
  const workers = options.workers === undefined ? {} : { workers: async () => options.workers ?? [] };
  const web = createWeb(webDeps(records, { audit, ...workers }));
  const response = await web.request(path, { headers: options.headers ?? {} });
  const html = await response.text();
  const text = html.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
  return { status: response.status, html, text, title: /<title>(.*)<\/title>/.exec(html)?.[1] ?? "" };
}

test("/workers says who works at what, and in the title how much room there is", async () => {
  const one = {
    engine: "Docker 20.10.24",
    slots: 2,
    seenAt: ago(3),
    version: "1.0.0",
    labels: ["big"],
    draining: false,
  };
  const workers = [
    { ...one, name: "big-1", active: [41, 42] },
    { ...one, name: "big-2", active: [] },
  ];
  const { html, text, title } = await show("/workers", { workers });
  expect(title).toBe("● 2 of 4 slots in use");
  expect(text).toContain("big-1 ● at work 2 of 2 #41 , #42 big Docker 20.10.24 1.0.0 3s ago");
  expect(text).toContain("big-2 idle 0 of 2");
  expect(html).toContain('<a href="/builds/42">#42</a>');
  const none = await show("/workers", { workers: [] });
  expect(none.title).toBe("▲ no worker is up");
  expect(none.text).toContain("builds wait until one is");
});

test("/schedule says what comes when, in the configured time zone, and what does not come yet", async () => {
  const nothing = await show("/schedule");
  expect(nothing.title).toBe("Schedule: nothing");
  expect(nothing.text).toContain("Nothing is scheduled.");
  expect(nothing.text).toContain("makes one every day");
  const config = configOf(`
timezone: Europe/Berlin
projects: { hello: { repo: /r/hello, nightly: "0 3 * * *" } }
report: { at: "0 8 * * *" }
backup: { at: "0 7 * * *", bucket: backup-ci }
mail: { host: mail.example.org, from: ci@example.org, to: [ada@example.org, bob@example.org] }
`);
  const { text, title } = await show("/schedule", { config });
  expect(text).toMatch(/backup to s3:\/\/backup-ci\s+0 7 \* \* \* Europe\/Berlin/);
  expect(title).toBe("Schedule: next in 14h00m");
  expect(text).toMatch(/daily report to 2 addresses\s+0 8 \* \* \* Europe\/Berlin\s+2026-03-02 07:00 UTC\s+19h00m/);
  expect(text).toMatch(/nightly hello\s+0 3 \* \* \* Europe\/Berlin\s+2026-03-02 02:00 UTC\s+14h00m\s+not yet/);
  // No addresses: they are people's.
  expect(text).not.toContain("ada@example.org");
});

test("/releases says that there are none", async () => {
  expect((await show("/releases")).text).toContain("There are none, and no project is set up for them:");
  const config = configOf(
    "projects: { docker: { repo: /r/docker } }\nreleases: { docker: { bucket: get.example.org } }",
  );
  expect((await show("/releases", { config })).text).toContain(
    "!release docker 1.0.0 in a chat asks for the first one",
  );
});

const WITH_LOGIN = configOf("web: { user: ada, password: correct-horse }\nprojects: { hello: { repo: /r/hello } }");
const ADA = { authorization: `Basic ${btoa("ada:correct-horse")}` };

test("/audit is for who is logged in, where somebody can be", async () => {
  const stranger = await show("/audit", { config: WITH_LOGIN, acts: 2 });
  expect(stranger.status).toBe(403);
  expect(stranger.html).toContain('<a href="/login?to=%2Faudit">Log in</a>');
  expect(stranger.text).not.toContain("ada-account");
  const { status, html, text } = await show("/audit", { config: WITH_LOGIN, acts: 2, headers: ADA });
  expect(status).toBe(200);
  expect(text).toMatch(/2 2026-03-01 12:00 UTC ada \(libera\/ada-account\) libera\/#docker-dev cancel 2 accepted/);
  expect(html).toContain("cancel 1 &lt;b&gt;: takes the role developer</code></td><td><strong>refused</strong>");
});

test("where nobody can log in, /audit is there without accounts and rooms", async () => {
  const { status, text } = await show("/audit", { acts: 2 });
  expect(status).toBe(200);
  expect(text).toContain("ada cancel 2 accepted");
  expect(text).not.toMatch(/ada-account|docker-dev/);
  expect((await show("/audit")).text).toContain("Nobody has done anything yet");
});

test("/audit goes back to the first entry, and forth again", async () => {
  const entries = (html: string) => [...html.matchAll(/<td class="number">(\d+)</g)].map(([, n]) => Number(n));
  const first = await show("/audit", { acts: 410 });
  expect([entries(first.html)[0], entries(first.html).at(-1)]).toEqual([410, 211]);
  expect(first.html).toContain('href="/audit?before=211"');
  expect(first.html).not.toContain("newer");
  const last = await show("/audit?before=11", { acts: 410 });
  expect(entries(last.html)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(last.html).not.toContain("older");
  expect(last.html).toContain('href="/audit?after=10"');
  const forth = await show("/audit?after=10", { acts: 410 });
  expect([entries(forth.html)[0], entries(forth.html).at(-1)]).toEqual([210, 11]);
  expect(entries((await show("/audit?before=1", { acts: 3 })).html)).toEqual([]);
});
