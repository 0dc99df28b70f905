/** Keys and signatures by GnuPG itself, in a home of their own: what people check releases with. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { promisify } from "node:util";
import type { Signer, SigningKey, VerifySignature } from "../../src/signer.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);

export interface Gpg extends AsyncDisposable {
  readonly home: string;
  readonly signer: Signer;
  readonly key: SigningKey;
  /** The private key, armoured, without a passphrase. */
  privateKey(): Promise<string>;
  /** `gpg --verify`, with the public key and nothing else known. @returns what it says. @throws when the signature is not good. */
  verify(signatureFile: string, file: string): Promise<string>;
}

/** With a key of its own, which knows no other. */
export async function openGpg(userId = "docker-ci releases <ci@example.org>"): Promise<Gpg> {
  const folder = await temporaryFolder();
  const gpg = async (...args: string[]) =>
    run("gpg", ["--homedir", folder.path, "--batch", "--pinentry-mode", "loopback", "--passphrase", "", ...args]);
  await gpg("--quick-gen-key", userId, "ed25519", "sign", "never");
  const listed = (await gpg("--with-colons", "--list-keys")).stdout;
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? "";
  const publicKey = (await gpg("--armor", "--export", fingerprint)).stdout;
  return { ...gpgAt(folder.path, { fingerprint, userId, publicKey, expiresAt: undefined }), ...folder };
}

/** A home that is there already, for another process. */
export function gpgAt(home: string, key: SigningKey): Omit<Gpg, keyof AsyncDisposable> {
  return {
    home,
    key,
    signer: {
      key: async () => key,
      async sign(content) {
        const options = ["--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""];
        const child = spawn("gpg", [...options, "--armor", "--detach-sign", "--output", "-"]);
        child.stdin.end(Buffer.isBuffer(content) ? content : await buffer(content));
        const [armoured] = await Promise.all([text(child.stdout), once(child, "close")]);
        return armoured;
      },
    },
    async privateKey() {
      const options = ["--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""];
      return (await run("gpg", [...options, "--armor", "--export-secret-keys"])).stdout;
    },
    async verify(signatureFile, file) {
      await using folder = await temporaryFolder();
      const options = ["--homedir", folder.path, "--batch"];
      await writeFile(join(folder.path, "key.asc"), key.publicKey);
      await run("gpg", [...options, "--import", join(folder.path, "key.asc")]);
      return (await run("gpg", [...options, "--verify", signatureFile, file])).stderr;
    },
  };
}

/** With a home of its own for every question. */
export const verifyWithGpg: VerifySignature = async (content, signature, publicKey) => {
  await using folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  await writeFile(path("key.asc"), publicKey);
  await writeFile(path("content"), Buffer.isBuffer(content) ? content : await buffer(content));
  await writeFile(path("content.asc"), signature);
  const options = ["--homedir", folder.path, "--batch", "--status-fd", "1"];
  await run("gpg", [...options, "--import", path("key.asc")]);
  try {
    const { stdout } = await run("gpg", [...options, "--verify", path("content.asc"), path("content")]);
    const [, fingerprint = "", seconds = "0"] = /VALIDSIG ([0-9A-F]+) \S+ (\d+)/.exec(stdout) ?? [];
    return { kind: "good", fingerprint, signedAt: new Date(Number(seconds) * 1000) };
  } catch (error) {
    const said = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    return { kind: "bad", reason: said.includes("NO_PUBKEY") ? "it is of another key" : "it is of something else" };
  }
};
