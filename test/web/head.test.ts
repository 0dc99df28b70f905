/** HEAD, which download managers and link checkers ask with, and readers who leave in the middle: nothing is left open behind them. */
import { mkdir, readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { keptLog, logsFolder, openLog } from "../../src/builds/log-files.ts";
import { capturedLog } from "../support/captured-log.ts";
import { ago, openRecords } from "../support/records.ts";
import { serveWeb } from "../support/served-web.ts";
import { waitFor } from "../support/wait-for.ts";

const PASSED = { kind: "passed", startedAt: ago(5), finishedAt: ago(0) } as const;

/** How many files below that folder this process has open. */
async function openBelow(folder: string): Promise<number> {
  const all = await readdir("/proc/self/fd");
  const paths = await Promise.all(all.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "" /* closed by now */)));
  return paths.filter((path) => path.startsWith(folder)).length;
}

test("a HEAD of a log or an artifact leaves no file open, nor does who leaves; and neither is a fault", async () => {
  await using records = await openRecords();
  const config = { ...records.config, dataDir: records.dataDir };
  const build = await records.begin(await records.create("hello"));
  await records.end(build, PASSED);
  const folder = join(records.dataDir, "docker-ci");
  await mkdir(logsFolder(config), { recursive: true });
  await mkdir(join(folder, "artifacts/1"), { recursive: true });
  const text = Array.from({ length: 200_000 }, (_, line) => `line ${(line * 7919) % 100_003}\n`).join("");
  await writeFile(keptLog(logsFolder(config), 1), gzipSync(text));
  await writeFile(join(folder, "artifacts/1/app.tgz"), text);
  const { log, entries } = capturedLog();
  await using web = await serveWeb(records, { config, openLog: (number) => openLog(logsFolder(config), number), log });

  for (const path of ["/builds/1/log", "/artifacts/1/app.tgz"]) {
    const got = await fetch(web.url + path);
    expect((await got.text()).length).toBe(text.length);
    for (let time = 0; time < 5; time += 1) {
      const { status, headers } = await fetch(web.url + path, { method: "HEAD" });
      expect([status, headers.get("content-type")]).toEqual([200, got.headers.get("content-type")]);
    }
    const left = new AbortController();
    const answer = await fetch(web.url + path, { signal: left.signal });
    expect(answer.status).toBe(200);
    left.abort();
    await waitFor(`${path} to be closed`, async () => (await openBelow(folder)) === 0);
  }
  expect(entries()).toEqual([]);
});
