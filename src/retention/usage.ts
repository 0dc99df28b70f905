/** What takes the room: the data folder by kind. */
import { join } from "node:path";
import { logsFolder } from "../builds/log-files.ts";
import { artifactsFolder, coverageFolder } from "../builds/pipeline-of-build.ts";
import { smokeLogs } from "../releases/publish/smoke-logs.ts";
import { resultsFolder } from "../results/results.ts";
import { type DiskSpace, lookAtDisks, type Place } from "./disk.ts";
import { bytesOf } from "./files.ts";

export interface Usage {
  readonly disks: readonly DiskSpace[];
  /** The largest first; what there is none of is left out. */
  readonly kinds: readonly { readonly kind: string; readonly bytes: number }[];
  /** Below it no build begins. */
  readonly neededBytes: number;
}

/** Reads the whole folder: seconds where there are a hundred thousand files. */
export async function usageOf(dataDir: string, places: readonly Place[], neededBytes: number): Promise<Usage> {
  const folders: Readonly<Record<string, string>> = {
    logs: logsFolder({ dataDir }),
    artifacts: artifactsFolder(dataDir),
    coverage: coverageFolder(dataDir),
    results: join(resultsFolder(dataDir, 0), ".."),
    "smoke tests": smokeLogs({ dataDir }),
    checkouts: join(dataDir, "docker-ci", "work"),
    records: join(dataDir, "redis"),
    backups: join(dataDir, "backup"),
  };
  const kinds: { kind: string; bytes: number }[] = [];
  for (const [kind, folder] of Object.entries(folders)) kinds.push({ kind, bytes: await bytesOf(folder) });
  return {
    disks: await lookAtDisks(places, () => {
      // A disk that cannot be looked at is left out of the answer; the watch logs why.
    }),
    kinds: kinds.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes),
    neededBytes,
  };
}
