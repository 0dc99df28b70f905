/** Whether a detached signature is of that content and by that key, by OpenPGP.js: no keyring of anybody's has a say. */
import type { Readable } from "node:stream";
import { createMessage, readKey, readSignature, verify as verifyMessage } from "openpgp";
import { describeError, RuntimeError } from "../../src/errors.ts";
import { cleanName } from "../../src/results/clean-name.ts";
import type { SignatureVerdict } from "../../src/signer.ts";
import { contentOf, readAll } from "./content.ts";

/** @throws RuntimeError when the public key cannot be read; what the content itself fails with. */
export async function verify(
  content: Readable | Buffer,
  armoredSignature: string,
  publicKey: string,
  signal: AbortSignal,
): Promise<SignatureVerdict> {
  signal.throwIfAborted();
  using source = contentOf(content, signal);
  const verificationKeys = await readKey({ armoredKey: publicKey }).catch((cause: unknown) => {
    throw new RuntimeError("the public key that is trusted cannot be read", { cause, retryable: false });
  });
  const signature = await readSignature({ armoredSignature }).catch(() => undefined /* a result, told next */);
  if (signature === undefined) return { kind: "bad", reason: "it is no signature" };
  try {
    const message = await createMessage({ binary: source.stream });
    const { data, signatures } = await verifyMessage({ message, signature, verificationKeys, format: "binary" });
    // What it hashes is fed by whoever reads the content.
    await readAll(data);
    const verdict = await verdictOf(signatures, verificationKeys.getFingerprint().toUpperCase());
    // Content that broke off is no content that differs.
    if (verdict.kind === "bad" && source.fault() !== undefined) throw source.fault();
    return verdict;
  } catch (error) {
    throw source.fault() ?? error;
  }
}

interface VerificationResult {
  /** Rejects where it is not good. */
  readonly verified: Promise<true>;
  readonly signature: Promise<{ readonly packets: readonly { readonly created: Date | null }[] }>;
}

/** One good signature is enough: the others may be by keys that are not asked about. */
async function verdictOf(results: readonly VerificationResult[], fingerprint: string): Promise<SignatureVerdict> {
  let reason = "it holds no signature";
  for (const { verified, signature } of results) {
    try {
      await verified;
      const { packets } = await signature;
      return { kind: "good", fingerprint, signedAt: packets[0]?.created ?? new Date(0) };
    } catch (error) {
      reason = reasonOf(describeError(error));
    }
  }
  return { kind: "bad", reason };
}

/** OpenPGP.js has words and no codes. */
function reasonOf(message: string): string {
  if (/digest did not match/i.test(message)) return "the content is not what was signed";
  if (/could not find signing key/i.test(message)) return "it was signed with another key";
  return cleanName(message);
}
