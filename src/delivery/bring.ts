/** On the bot: fetches from the bucket what a worker left there, when somebody looks for it, and keeps it in the data folder. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { beganElsewhere, isFinished } from "../builds/build.ts";
import type { BuildStore } from "../builds/store.ts";
import { describeError } from "../errors.ts";
import { BuildNumber } from "../names.ts";
import type { ObjectStore } from "../object-store.ts";
import { bringArea } from "./bucket-depot.ts";
import { type Area, areaOf } from "./places.ts";

/** Whoever looks waits so long, and sees then what is here. */
const PATIENCE_MS = 60_000;

export type Bring = (number: number, area: Area) => Promise<void>;

/** @param open called once, by the first who needs it. */
export function createBringing(scene: {
  readonly dataDir: string;
  readonly instance: string;
  readonly store: Pick<BuildStore, "get">;
  readonly log: Logger;
  open(): Promise<ObjectStore>;
}): Bring {
  const { dataDir, instance, store, log } = scene;
  const folder = join(dataDir, "docker-ci", "brought");
  const onTheWay = new Map<string, Promise<void>>();
  let opened: Promise<ObjectStore> | undefined;

  async function fetchArea(number: BuildNumber, area: Area): Promise<void> {
    const build = await store.get(number);
    if (build === undefined || !isFinished(build) || !beganElsewhere(build, instance)) return;
    const mark = join(folder, `${number}-${build.attempt}-${area}`);
    if (await exists(mark)) return;
    opened ??= scene.open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    await bringArea(await opened, build, dataDir, (path) => areaOf(path) === area, AbortSignal.timeout(PATIENCE_MS));
    // What was not there when it ended comes later: it is looked for again.
    if (build.results?.undelivered !== undefined) return;
    await mkdir(folder, { recursive: true });
    await writeFile(mark, "");
  }

  return async (number, area) => {
    const known = BuildNumber.safeParse(number);
    if (!known.success) return;
    const key = `${number}-${area}`;
    const fetching =
      onTheWay.get(key) ??
      fetchArea(known.data, area)
        .catch((error: unknown) =>
          log.warn({ reason: describeError(error), build: number, area }, "could not be fetched"),
        )
        .finally(() => onTheWay.delete(key));
    onTheWay.set(key, fetching);
    await fetching;
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
