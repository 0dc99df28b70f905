/** Backups of real records and real files, in a folder of their own. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { openS3 } from "../../adapters/s3/index.ts";
import { type Backups, createBackups } from "../../src/backup/backups.ts";
import type { Build } from "../../src/builds/build.ts";
import type { Clock } from "../../src/clock.ts";
import type { Config } from "../../src/config.ts";
import { createSubscriptions, type Subscriptions } from "../../src/incidents/subscriptions.ts";
import { CONFIG, clock, configOf, NOW, openRecords, type Records } from "./records.ts";

export const never = new AbortController().signal;

export interface BackupSite extends Records {
  readonly backups: Backups;
  readonly subscriptions: Subscriptions;
  readonly time: SettableClock;
  /** A build that passed, with a log. */
  passed(log?: string): Promise<Build>;
  write(path: string, content: string | Buffer): Promise<void>;
}

class SettableClock implements Clock {
  at: Date = NOW;
  now = (): Date => this.at;
  pass(ms: number): void {
    this.at = new Date(this.at.getTime() + ms);
  }
}

export const ROOM = `irc: [{ name: libera, host: irc.example.org, nick: docker-ci, channels: ["#dev"] }]
notify: { rooms: ["libera/#dev"], on: [broken] }
`;

/** @param more of docker-ci.yml. @param attempts of each request to a bucket. */
export async function openBackupSite(more = "", attempts = 2): Promise<BackupSite> {
  const records = await openRecords();
  const { dataDir } = records;
  const config: Config = { ...configOf(CONFIG + more), dataDir };
  const subscriptions = createSubscriptions(records.redis.commands, clock);
  const time = new SettableClock();
  const backups = createBackups({
    config,
    redis: records.redis.commands,
    subscriptions,
    clock: time,
    log: records.log,
    openStore: async (bucket) =>
      openS3(bucket, {
        attempts,
        connectMs: 2_000,
        idleMs: 5_000,
        copyAtOnceBytes: 5 * 1024 ** 3,
        copyPartBytes: 1024 ** 3,
      }),
  });
  const write: BackupSite["write"] = async (path, content) => {
    const file = join(dataDir, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, content);
  };
  await write("instance", "0a1b2c3d\n");
  return {
    ...records,
    config,
    backups,
    subscriptions,
    time,
    write,
    async passed(log = "all is well\n") {
      const build = await records.begin(await records.create());
      await write(`docker-ci/logs/${build.number}.log.gz`, gzipSync(log));
      await write(`docker-ci/results/${build.number}/tests.json`, `{"of":${build.number}}`);
      const times = { startedAt: "2026-03-01T11:00:00.000Z", finishedAt: "2026-03-01T11:01:00.000Z" };
      return records.end(build, { kind: "passed", ...times });
    },
  };
}

/** What waits for a room, as text. */
export async function saidTo({ redis }: Pick<Records, "redis">, room: string): Promise<string[]> {
  const entries = await redis.commands.lrange(`docker-ci:outbox:room:${room}`, 0, -1);
  return entries.map((json) => JSON.parse(json).outgoing.reply.lines[0].facts.join(" · "));
}
