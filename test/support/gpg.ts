/** GnuPG itself, in a home of its own: what people make keys with, and check releases. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { temporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);

export interface Gpg extends AsyncDisposable {
  readonly fingerprint: string;
  /** The private key, armoured, without a passphrase. */
  privateKey(): Promise<string>;
  /** `gpg --verify`, with the public key in this file and nothing else known. @returns what it says. @throws for a signature that is not good. */
  verify(keyFile: string, signatureFile: string, file: string): Promise<string>;
}

/** With a key that it has made. */
export async function openGpg(userId = "docker-ci releases <ci@example.org>"): Promise<Gpg> {
  const folder = await temporaryFolder();
  const options = ["--homedir", folder.path, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""];
  const gpg = (...args: string[]) => run("gpg", [...options, ...args]);
  await gpg("--quick-gen-key", userId, "ed25519", "sign", "never");
  const listed = (await gpg("--with-colons", "--list-keys")).stdout;
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? "";
  return {
    ...folder,
    fingerprint,
    privateKey: async () => (await gpg("--armor", "--export-secret-keys")).stdout,
    async verify(keyFile, signatureFile, file) {
      await using home = await temporaryFolder();
      await run("gpg", ["--homedir", home.path, "--batch", "--import", keyFile]);
      return (await run("gpg", ["--homedir", home.path, "--batch", "--verify", signatureFile, file])).stderr;
    },
  };
}
