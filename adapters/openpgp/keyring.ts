/** Signing with a key of the user's keyring, by gpg. Its passphrase goes through a pipe of its own, never on a command line. */
import type { Readable } from "node:stream";
import type { Secret } from "../../src/config.ts";
import { RuntimeError } from "../../src/errors.ts";
import type { Signer, SigningKey } from "../../src/signer.ts";
import { expired } from "./expiry.ts";
import { runGpg } from "./gpg.ts";
import { type KeyListing, parseListing } from "./key-listing.ts";

/** GPG_ERR_BAD_PASSPHRASE. */
const BAD_PASSPHRASE = 11;

/** @param id as gpg takes one: a fingerprint, a key's id, a mail address. */
export function keyringSigner(id: string, passphrase: Secret | undefined): Signer {
  const find = async (signal: AbortSignal): Promise<KeyListing> => {
    const { status, stdout } = await runGpg(["--with-colons", "--list-secret-keys", "--", id], { signal });
    const keys = status === 0 ? parseListing(stdout) : [];
    const [key] = keys;
    if (key === undefined) throw never(`the keyring holds no private key ${id}`);
    if (keys.length > 1)
      throw never(`the keyring holds ${keys.length} private keys ${id}; gpg_key takes a fingerprint`);
    const name = `${id} (${key.fingerprint})`;
    if (key.state === "expired" && key.expiresAt !== undefined) throw expired(name, key.expiresAt);
    if (key.state !== "good") throw never(`the signing key ${name} is ${key.state}`);
    if (!key.maySign)
      throw never(`the signing key ${name} may not sign: neither it nor a subkey that is good is for that`);
    return key;
  };

  const sign = async (key: KeyListing, content: Readable | Buffer, signal: AbortSignal): Promise<string> => {
    const secret = passphrase?.reveal();
    const { status, stdout, states, code, said } = await runGpg(
      [
        "--pinentry-mode",
        "loopback",
        ...(secret === undefined ? [] : ["--passphrase-fd", "3"]),
        "--local-user",
        key.fingerprint,
        "--armor",
        "--detach-sign",
      ],
      { signal, content, secret },
    );
    if (status === 0 && stdout.includes("-----BEGIN PGP SIGNATURE-----")) return stdout;
    if (code === BAD_PASSPHRASE && secret !== undefined)
      throw never(`the passphrase does not open the signing key ${id}`);
    if (secret === undefined && (code === BAD_PASSPHRASE || states.has("NEED_PASSPHRASE"))) {
      throw never(`the signing key ${id} is locked, and no passphrase is configured`);
    }
    throw new RuntimeError(`gpg does not sign with ${id} (${said})`);
  };

  return {
    async key(signal): Promise<SigningKey> {
      const key = await find(signal);
      // That it can be opened is part of the answer.
      await sign(key, Buffer.alloc(0), signal);
      const { stdout } = await runGpg(["--armor", "--export", "--", key.fingerprint], { signal });
      const { fingerprint, userId, expiresAt } = key;
      return { fingerprint, userId, expiresAt, publicKey: stdout };
    },
    async sign(content, signal) {
      return sign(await find(signal), content, signal);
    },
  };
}

function never(sentence: string): RuntimeError {
  return new RuntimeError(sentence, { retryable: false });
}
