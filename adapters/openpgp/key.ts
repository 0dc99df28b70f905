/** Signing with a private key that is read whole, by OpenPGP.js. */
import { text } from "node:stream/consumers";
import { createMessage, decryptKey, type PrivateKey, readPrivateKeys } from "openpgp";
import type { Secret } from "../../src/config.ts";
import { RuntimeError } from "../../src/errors.ts";
import { cleanName } from "../../src/results/clean-name.ts";
import type { Signer, SigningKey } from "../../src/signer.ts";
import { contentOf, readAll } from "./content.ts";
import { expired } from "./expiry.ts";

/** @param read gives the key, armoured or not, anew for every use: it may be replaced. @param where it is, for sentences. */
export function keySigner(read: () => Promise<Buffer>, where: string, passphrase: Secret | undefined): Signer {
  return {
    async key(signal) {
      signal.throwIfAborted();
      const key = await parse(await read(), where);
      const described = await describe(key, where);
      // That it can be opened is part of the answer.
      await unlock(key, where, passphrase);
      return described;
    },
    async sign(content, signal) {
      signal.throwIfAborted();
      const key = await parse(await read(), where);
      await describe(key, where);
      const signingKeys = await unlock(key, where, passphrase);
      using source = contentOf(content, signal);
      try {
        const message = await createMessage({ binary: source.stream });
        if (!signsDetached(message)) throw new Error("OpenPGP.js signs in another way by now");
        const signature = await message.signDetached([signingKeys]);
        const armoured = signature.armor();
        // What it hashes is fed by whoever reads the content; that it fails with the content is heard on both sides.
        const [whole] = await Promise.all([
          typeof armoured === "string" ? armoured : text(armoured),
          readAll(message.getLiteralData()),
        ]);
        return whole;
      } catch (cause) {
        const fault = source.fault();
        if (fault !== undefined) throw fault;
        throw new RuntimeError(`the signing key ${where} does not sign`, { cause, retryable: false });
      }
    },
  };
}

/** In OpenPGP.js and its documentation, though not in its types. Its `sign` keeps all of a stream in memory, only to drop it. */
interface SignsDetached {
  signDetached(keys: readonly PrivateKey[]): Promise<{ armor(): string | AsyncIterable<string> }>;
}

function signsDetached(message: object): message is SignsDetached {
  return "signDetached" in message && typeof message.signDetached === "function";
}

async function parse(content: Buffer, where: string): Promise<PrivateKey> {
  const armoredKey = content.toString();
  try {
    const isArmoured = armoredKey.includes("-----BEGIN PGP");
    const keys = await (isArmoured
      ? readPrivateKeys({ armoredKeys: armoredKey })
      : readPrivateKeys({ binaryKeys: new Uint8Array(content) }));
    const [key] = keys;
    if (key !== undefined) return key;
  } catch {
    // What it says of the content may quote it.
  }
  throw new RuntimeError(`${where} holds no private OpenPGP key that can be read`, { retryable: false });
}

/** @throws RuntimeError where it may not sign now. */
async function describe(key: PrivateKey, where: string): Promise<SigningKey> {
  const fingerprint = key.getFingerprint().toUpperCase();
  const never = (what: string): RuntimeError =>
    new RuntimeError(`the signing key ${where} (${fingerprint}) ${what}`, { retryable: false });
  const ends = dateOf(await key.getExpirationTime());
  if (ends !== undefined && ends.getTime() <= Date.now()) throw expired(`${where} (${fingerprint})`, ends);
  if (await key.isRevoked()) throw never("is revoked");
  const signing = await key.getSigningKey().catch(() => undefined /* told in our words */);
  if (signing === undefined) throw never("may not sign: neither it nor a subkey that is good is for that");
  const own = dateOf(await signing.getExpirationTime());
  const { user } = await key.getPrimaryUser();
  return {
    fingerprint,
    userId: cleanName(user.userID?.userID ?? ""),
    expiresAt: own === undefined || (ends !== undefined && ends < own) ? ends : own,
    publicKey: key.toPublic().armor(),
  };
}

/** Of never it gives infinity, and nothing where the key is good for nothing. */
function dateOf(time: Date | number | null): Date | undefined {
  return time instanceof Date ? time : undefined;
}

async function unlock(key: PrivateKey, where: string, passphrase: Secret | undefined): Promise<PrivateKey> {
  if (key.isDecrypted()) return key;
  if (passphrase === undefined) {
    throw new RuntimeError(`the signing key ${where} is locked, and no passphrase is configured`, { retryable: false });
  }
  return decryptKey({ privateKey: key, passphrase: passphrase.reveal() }).catch(() => {
    throw new RuntimeError(`the passphrase does not open the signing key ${where}`, { retryable: false });
  });
}
