/** GnuPG itself, in a keyring for one test, whose agent is stopped at the end: what people make keys with, and check releases. */
import { spawn } from "node:child_process";
import { chmod } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { temporaryFolder } from "./temporary-folder.ts";

export interface GpgHome extends AsyncDisposable {
  readonly path: string;
  /** Runs gpg there. @returns its output. @throws with what it said. */
  gpg(args: readonly string[], input?: string | Buffer): Promise<string>;
  /**
   * A key that signs, by that passphrase. @param expires as gpg takes it: `0` (never), `2d`, `seconds=1`.
   * @returns its fingerprint.
   */
  makeKey(userId: string, options?: { passphrase?: string; expires?: string; uses?: string }): Promise<string>;
}

export async function openGpgHome(): Promise<GpgHome> {
  const folder = await temporaryFolder();
  await chmod(folder.path, 0o700);
  const run = async (command: string, args: readonly string[], input: string | Buffer = ""): Promise<string> => {
    const child = spawn(command, args, { env: { ...process.env, GNUPGHOME: folder.path, LC_ALL: "C" } });
    child.stdin.on("error", () => undefined).end(input);
    const [stdout, stderr, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on("close", resolve)),
    ]);
    if (status === 0) return stdout;
    throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  };
  const gpg: GpgHome["gpg"] = (args, input) => run("gpg", ["--batch", "--no-tty", ...args], input);
  return {
    path: folder.path,
    gpg,
    async makeKey(userId, { passphrase = "", expires = "0", uses = "sign" } = {}) {
      const secret = ["--pinentry-mode", "loopback", "--passphrase", passphrase];
      await gpg([...secret, "--quick-generate-key", userId, "ed25519", uses, expires]);
      const listing = await gpg(["--with-colons", "--list-secret-keys", `=${userId}`]);
      return /^fpr:+([0-9A-F]+):/m.exec(listing)?.[1] ?? "";
    },
    async [Symbol.asyncDispose]() {
      await run("gpgconf", ["--kill", "all"]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

export interface Gpg extends AsyncDisposable {
  readonly fingerprint: string;
  /** The private key, armoured, without a passphrase. */
  privateKey(): Promise<string>;
  /** `gpg --verify`, with the public key in this file and nothing else known. @returns what it says. @throws for a signature that is not good. */
  verify(keyFile: string, signatureFile: string, file: string): Promise<string>;
}

/** With a key that it has made. */
export async function openGpg(userId = "docker-ci releases <ci@example.org>"): Promise<Gpg> {
  const home = await openGpgHome();
  const fingerprint = await home.makeKey(userId);
  const secret = ["--pinentry-mode", "loopback", "--passphrase", ""];
  return {
    fingerprint,
    privateKey: () => home.gpg([...secret, "--armor", "--export-secret-keys"]),
    async verify(keyFile, signatureFile, file) {
      await using other = await openGpgHome();
      await other.gpg(["--import", keyFile]);
      return other.gpg(["--status-fd", "1", "--verify", signatureFile, file]);
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
