/** How far a backup is, for whoever looks, in whatever process. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { type Line, line } from "../chat/reply.ts";
import { formatBytes, formatCount } from "../units.ts";

const KEY = "docker-ci:backup:progress";
/** It fades when nobody goes on with it. */
const FADES_MS = 15_000;
const EVERY_MS = 1_000;

export const BackupProgress = z.strictObject({
  phase: z.enum(["records", "files", "proof", "copy", "restore"]),
  startedAt: z.iso.datetime(),
  files: z.number().int().default(0),
  bytes: z.number().int().default(0),
  /** The bucket, in the last phase. */
  target: z.string().optional(),
});
export type BackupProgress = z.infer<typeof BackupProgress>;

export async function readProgress(redis: Redis): Promise<BackupProgress | undefined> {
  const json = await redis.get(KEY);
  return json === null ? undefined : BackupProgress.parse(JSON.parse(json));
}

export interface ProgressTeller {
  /** `force`: also when something was told just now. */
  tell(progress: BackupProgress, force?: boolean): void;
  end(): Promise<void>;
}

/** Tells at most once a second. @param listener whoever waits for it in this process. */
export function tellProgress(
  redis: Redis,
  listener: (progress: BackupProgress) => void = () => undefined,
): ProgressTeller {
  let last = 0;
  let writing: Promise<unknown> = Promise.resolve();
  return {
    tell(progress, force = false) {
      const now = Date.now();
      if (!force && now - last < EVERY_MS) return;
      last = now;
      listener(progress);
      writing = writing
        .then(() => redis.set(KEY, JSON.stringify(progress), "PX", FADES_MS))
        .catch(() => undefined /* a courtesy; what it is about goes on */);
    },
    async end() {
      await writing;
      await redis.del(KEY).catch(() => undefined /* it fades by itself */);
    },
  };
}

/** `● backup · packing · 1,204 files · 1.2 GiB` */
export function progressLine({ phase, files, bytes, target }: BackupProgress): Line {
  const what = {
    records: "taking the records",
    files: "packing",
    proof: "proving that it restores",
    copy: `copying to ${target ?? "its bucket"}`,
    restore: "unpacking",
  }[phase];
  const count = files === 0 ? "" : `${formatCount(files)} ${files === 1 ? "file" : "files"}`;
  return line("running", [
    phase === "restore" ? "restore" : "backup",
    what,
    count,
    bytes === 0 ? "" : formatBytes(bytes),
  ]);
}
