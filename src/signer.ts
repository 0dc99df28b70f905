/** The port to OpenPGP: signing with the one key of a project's releases, and checking what was signed. */
import type { Readable } from "node:stream";
import type { ReleaseConfig } from "./config.ts";

export interface SigningKey {
  /** Upper-case hexadecimal. */
  readonly fingerprint: string;
  /** `docker-ci releases <ci@example.org>` */
  readonly userId: string;
  /** Undefined: never. */
  readonly expiresAt: Date | undefined;
  /** Armoured; published beside what it signed. */
  readonly publicKey: string;
}

/** Throws RuntimeError with a sentence: no such key, a wrong passphrase, an expired key. No passphrase and no key is ever in it. */
export interface Signer {
  key(signal: AbortSignal): Promise<SigningKey>;
  /** A detached, armoured signature. */
  sign(content: Readable | Buffer, signal: AbortSignal): Promise<string>;
}

export type SignatureVerdict =
  | { readonly kind: "good"; readonly fingerprint: string; readonly signedAt: Date }
  | { readonly kind: "bad"; readonly reason: string };

/** @param publicKey armoured: what is trusted. */
export type VerifySignature = (
  content: Readable | Buffer,
  signature: string,
  publicKey: string,
  signal: AbortSignal,
) => Promise<SignatureVerdict>;

/** Undefined where the configuration names no key: such releases have sums and no signature. */
export type OpenSigner = (
  keys: Pick<ReleaseConfig, "gpgKey" | "gpgPrivateKey" | "passphrase">,
) => Promise<Signer | undefined>;
