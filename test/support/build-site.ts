/** The page on a real socket, with records that a test writes and logs as a build writes them. */
import { join } from "node:path";
import { Build } from "../../src/builds/build.ts";
import { BuildLog } from "../../src/builds/build-log.ts";
import { createLiveLogs, type LiveLogs, publishLive } from "../../src/builds/live-log.ts";
import { lastLines, openLog } from "../../src/builds/log-files.ts";
import type { WebDeps } from "../../src/web/deps.ts";
import { servePages } from "../../src/web/serve.ts";
import { createWeb } from "../../src/web/web.tsx";
import { freePort } from "./irc-server.ts";
import { openRecords, type Records } from "./records.ts";
import { webDeps } from "./web-deps.ts";

export interface BuildSite extends Records {
  readonly url: string;
  readonly live: LiveLogs;
  writeLog(number: number): Promise<BuildLog>;
  /** Status, text and headers of a page. */
  page(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string; headers: Headers }>;
}

export async function openBuildSite(changes: Partial<WebDeps> = {}): Promise<BuildSite> {
  const records = await openRecords();
  const { redis, log } = records;
  const folder = join(records.dataDir, "logs");
  const live = createLiveLogs(redis.open, log);
  const app = createWeb(
    webDeps(records, {
      openLog: (number) => openLog(folder, number),
      logLines: async (number, count) => {
        const whole = await openLog(folder, number);
        return whole === undefined ? undefined : lastLines(whole, count);
      },
      followLog: (number, signal, after) => live.follow(number, signal, after),
      ...changes,
    }),
  );
  const port = await freePort();
  const server = await servePages(app.fetch, { host: "127.0.0.1", port });
  const url = `http://127.0.0.1:${port}`;
  return {
    ...records,
    url,
    live,
    writeLog: (number) =>
      BuildLog.open({
        folder,
        number,
        limitBytes: 1024 ** 3,
        publish: publishLive(redis.commands, Build.shape.number.parse(number), log),
      }),
    async page(path, headers = {}) {
      const response = await fetch(`${url}${path}`, { headers });
      return { status: response.status, text: await response.text(), headers: response.headers };
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await live[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}
