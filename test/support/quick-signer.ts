/** Signatures in no time: Ed25519 as it comes, for tests that are not about OpenPGP. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type { Signer, SigningKey, VerifySignature } from "../../src/signer.ts";

export interface QuickSigner {
  readonly signer: Signer;
  readonly key: SigningKey;
  /** For another process. */
  readonly privateKey: string;
}

export function quickSigner(privateKey = newKey()): QuickSigner {
  const own = createPrivateKey(privateKey);
  const publicKey = createPublicKey(own).export({ type: "spki", format: "pem" }).toString();
  const fingerprint = fingerprintOf(publicKey);
  const key = { fingerprint, userId: "docker-ci releases <ci@example.org>", expiresAt: undefined, publicKey };
  return {
    key,
    privateKey,
    signer: {
      key: async () => key,
      async sign(content) {
        const at = String(Date.now());
        const bytes = Buffer.concat([Buffer.from(at), Buffer.isBuffer(content) ? content : await buffer(content)]);
        // As with OpenPGP, two signatures of one text are not the same.
        return `${fingerprint} ${at} ${sign(null, bytes, own).toString("base64")}\n`;
      },
    },
  };
}

export const verifyQuickly: VerifySignature = async (content, signature, publicKey) => {
  const [fingerprint, at = "", base64 = ""] = signature.trim().split(" ");
  if (fingerprint !== fingerprintOf(publicKey)) return { kind: "bad", reason: "it is of another key" };
  const bytes = Buffer.concat([Buffer.from(at), Buffer.isBuffer(content) ? content : await buffer(content)]);
  const isGood = verify(null, bytes, createPublicKey(publicKey), Buffer.from(base64, "base64"));
  if (!isGood) return { kind: "bad", reason: "it is of something else" };
  return { kind: "good", fingerprint, signedAt: new Date(Number(at)) };
};

function newKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function fingerprintOf(publicKey: string): string {
  return createHash("sha1").update(publicKey.trim()).digest("hex").toUpperCase();
}
