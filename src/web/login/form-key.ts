/** The key with which forms are signed: made once, kept in Redis, so that a page outlives a restart. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";

const KEY = "docker-ci:web:form-key";
const BYTES = 32;

/** Asks Redis once. */
export function createFormKey(redis: Redis): () => Promise<Buffer> {
  let known: Buffer | undefined;
  return async () => {
    if (known !== undefined) return known;
    await redis.set(KEY, randomBytes(BYTES).toString("hex"), "NX");
    known = Buffer.from((await redis.get(KEY)) ?? "", "hex");
    return known;
  };
}
