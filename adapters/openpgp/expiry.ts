/** That a key has had its time. */
import { RuntimeError } from "../../src/errors.ts";

/** @param key what it is called. */
export function expired(key: string, at: Date): RuntimeError {
  return new RuntimeError(`the signing key ${key} expired on ${at.toISOString().slice(0, 10)}`, { retryable: false });
}
