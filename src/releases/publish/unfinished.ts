/**
 * What a release has put into its bucket so far. It is written down before it is put, so that whoever goes on after a crash, or
 * clears up after a failure, knows what is its own: nothing else is ever replaced or removed.
 */
import type { Redis } from "ioredis";
import type { ProjectName } from "../../names.ts";
import type { ObjectStore } from "../../object-store.ts";
import type { Version } from "../release.ts";
import { sumOf } from "./bucket-files.ts";

export interface Unfinished {
  add(key: string, sha256: string): Promise<void>;
  /** It turned out to be somebody else's. */
  forget(key: string, sha256: string): Promise<void>;
  has(key: string, sha256: string): Promise<boolean>;
  /** Takes out of the bucket what is still as it was put there. */
  remove(store: ObjectStore, signal: AbortSignal): Promise<void>;
  /** All of it is published now. */
  clear(): Promise<void>;
}

export function unfinishedOf(redis: Redis, project: ProjectName, version: Version): Unfinished {
  const set = `docker-ci:release:unfinished:${project}:${version}`;
  const member = (key: string, sha256: string): string => `${sha256} ${key}`;
  return {
    async add(key, sha256) {
      await redis.sadd(set, member(key, sha256));
    },
    async forget(key, sha256) {
      await redis.srem(set, member(key, sha256));
    },
    has: async (key, sha256) => (await redis.sismember(set, member(key, sha256))) === 1,
    async remove(store, signal) {
      for (const text of await redis.smembers(set)) {
        const [sha256 = "", ...rest] = text.split(" ");
        const key = rest.join(" ");
        if ((await sumOf(store, key, signal))?.sha256 === sha256) await store.remove(key, signal);
        await redis.srem(set, text);
      }
    },
    async clear() {
      await redis.del(set);
    },
  };
}
