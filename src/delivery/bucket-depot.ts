/** Leaves files in a bucket, for the bot to fetch when somebody looks (bring.ts). */
import { createReadStream } from "node:fs";
import type { ObjectStore } from "../object-store.ts";
import type { Depot, Sent } from "./depot.ts";
import { takeIn } from "./incoming.ts";
import { placeOf } from "./places.ts";

/** `docker-ci/builds/42/1/`: attempts never meet, so nothing has to be cleared. */
function objectPrefix({ number, attempt }: Pick<Sent, "number" | "attempt">): string {
  return `docker-ci/builds/${number}/${attempt}/`;
}

/** @param open called once, by the first who needs it. */
export function bucketDepot(name: string, open: () => Promise<ObjectStore>): Depot {
  let opened: Promise<ObjectStore> | undefined;
  const objects = (): Promise<ObjectStore> => {
    opened ??= open();
    return opened;
  };
  return {
    name,
    greet: async (_worker, signal) => (await objects()).probe(signal),
    begin: async () => undefined,
    async put(sent, { path, file, sha256: hash }, signal) {
      await (await objects()).put(objectPrefix(sent) + path, createReadStream(file), { sha256: hash }, signal);
    },
    fetchResults: async (owner, dataDir, signal) =>
      bringArea(await objects(), owner, dataDir, (path) => path.startsWith("results/"), signal),
  };
}

/** Fetches what is not here yet of the objects whose paths are wanted. */
export async function bringArea(
  objects: ObjectStore,
  owner: Sent,
  dataDir: string,
  wanted: (path: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const prefix = objectPrefix(owner);
  for await (const { key } of objects.list(prefix, signal)) {
    const path = key.slice(prefix.length);
    // Whoever may write to the bucket may not write elsewhere on this machine.
    const place = wanted(path) ? placeOf(dataDir, owner, path) : undefined;
    const object = place === undefined ? undefined : await objects.get(key, signal);
    if (place === undefined || object === undefined) continue;
    // The store vouches for the content: it fails where it is not what was announced.
    await takeIn(dataDir, place, object.content, { bytes: object.bytes, sha256: undefined }, async () => true);
  }
}
