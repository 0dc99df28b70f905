/** Whether a webhook was signed with a secret that we know, compared in a time that does not depend on where two differ. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** @param signature hexadecimal, with or without `sha256=` before it. */
export function isSignedHex(secret: string, body: Buffer, signature: string): boolean {
  const given = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(signature)?.[1];
  if (given === undefined) return false;
  return timingSafeEqual(Buffer.from(given, "hex"), createHmac("sha256", secret).update(body).digest());
}

/** How long ago, or how far ahead by another clock, a signature with a time may have been made. */
const TOLERANCE_MS = 5 * 60_000;
/** A header with more than these is not from anybody who means well. */
const SIGNATURES_MAX = 10;

export interface TimedSignature {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: string;
  /** `v1,<base64>`, and more of them behind spaces while a secret is being replaced. */
  readonly signatures: string;
}

/** A signature by the Standard Webhooks specification, of now. */
export function isSignedOfNow(secret: string, body: Buffer, signed: TimedSignature, now: Date): boolean {
  if (!/^\d{1,12}$/.test(signed.timestamp)) return false;
  if (Math.abs(now.getTime() - Number(signed.timestamp) * 1_000) > TOLERANCE_MS) return false;
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : secret;
  const right = createHmac("sha256", key).update(`${signed.id}.${signed.timestamp}.`).update(body).digest();
  return signed.signatures
    .split(" ", SIGNATURES_MAX)
    .map((each) => Buffer.from(/^v1,([A-Za-z0-9+/]{43}=)$/.exec(each)?.[1] ?? "", "base64"))
    .some((given) => given.length === right.length && timingSafeEqual(given, right));
}

/** Whether two texts are the same. */
export function isSameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
