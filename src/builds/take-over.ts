/** A build that one worker began and another has: what can be gone on with, and what is removed. */
import { rm } from "node:fs/promises";
import { removeLeftovers } from "../pipeline/run.ts";
import { type Build, beganElsewhere } from "./build.ts";
import { keptLog, logsFolder, removePieces } from "./log-files.ts";
import { leftBehind } from "./pipeline-of-build.ts";
import { type Workshop, workFolder } from "./tidy.ts";

type Room = Pick<Workshop, "config" | "runtime" | "instance">;

/** Removes what an attempt of ours left on the engine and half done on the disk. */
export async function clearAttempt(
  { config, runtime, instance }: Room,
  { number }: Pick<Build, "number">,
): Promise<void> {
  await removeLeftovers(runtime, { "docker-ci.instance": instance, "docker-ci.build": String(number) });
  await rm(workFolder(config, number), { recursive: true, force: true });
  await removePieces(logsFolder(config), number);
}

/**
 * Removes what an attempt kept, here or sent by another worker.
 * @param what `results: false` leaves those: they are small, and builds to come are compared with them.
 */
export async function clearKept(
  { config }: Pick<Workshop, "config">,
  build: Pick<Build, "number" | "project">,
  what: { readonly results: boolean } = { results: true },
): Promise<void> {
  const { results, artifacts, coverage } = leftBehind(config.dataDir, build);
  for (const folder of [...(what.results ? [results] : []), artifacts, coverage]) {
    await rm(folder, { recursive: true, force: true });
  }
  await rm(keptLog(logsFolder(config), build.number), { force: true });
}

/**
 * After another worker has taken the build over: what is ours of it goes, and what is theirs stays. Nothing where this same data
 * folder has it again. @returns whether another has it.
 */
export async function leaveToOther(scene: Workshop, number: Build["number"]): Promise<boolean> {
  const build = await scene.store.get(number);
  if (build === undefined || !beganElsewhere(build, scene.instance)) return false;
  await clearAttempt(scene, build);
  return true;
}
