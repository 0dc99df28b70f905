/**
 * Signatures of releases. A key in a file or in the environment signs by OpenPGP.js: no gpg, no agent and no keyring on disk are
 * needed for it, which a container with one secret has not. A key's id is looked for by gpg in the keyring of the user who runs
 * docker-ci, since only gpg's agent may read that (and the cards behind it). Either verifies what the other signed.
 */
import { readFile } from "node:fs/promises";
import { isKeyFile } from "../../src/config/releases.ts";
import { RuntimeError } from "../../src/errors.ts";
import { isMissing } from "../../src/missing.ts";
import type { OpenSigner, VerifySignature } from "../../src/signer.ts";

/** A file of several keys is some 10 KB; whatever is larger is none. */
const KEY_BYTES_MAX = 1024 ** 2;

/** Of both kinds of key the one in the environment is taken. Reads nothing before something is asked. */
export const openSigner: OpenSigner = async ({ gpgKey, gpgPrivateKey, passphrase }) => {
  if (gpgPrivateKey !== undefined) {
    const { keySigner } = await import("./key.ts");
    return keySigner(async () => Buffer.from(gpgPrivateKey.reveal()), "gpg_private_key", passphrase);
  }
  if (gpgKey === undefined) return undefined;
  if (isKeyFile(gpgKey)) {
    const { keySigner } = await import("./key.ts");
    return keySigner(() => readKey(gpgKey), gpgKey, passphrase);
  }
  const { keyringSigner } = await import("./keyring.ts");
  return keyringSigner(gpgKey, passphrase);
};

export const verifySignature: VerifySignature = async (content, signature, publicKey, signal) => {
  const { verify } = await import("./verify.ts");
  return verify(content, signature, publicKey, signal);
};

async function readKey(file: string): Promise<Buffer> {
  const content = await readFile(file).catch((cause: unknown) => {
    const sentence = isMissing(cause) ? `there is no signing key ${file}` : `the signing key ${file} cannot be read`;
    throw new RuntimeError(sentence, { cause, retryable: false });
  });
  if (content.length <= KEY_BYTES_MAX) return content;
  throw new RuntimeError(`${file} is no OpenPGP key: it has ${content.length} bytes`, { retryable: false });
}
