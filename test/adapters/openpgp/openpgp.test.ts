/** Releases are signed by a key in a file, in the environment or in a keyring, and gpg and OpenPGP.js take each other's word. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import { generateKey, type PartialConfig, revokeKey } from "openpgp";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { openSigner, verifySignature } from "../../../adapters/openpgp/index.ts";
import { Secret } from "../../../src/config.ts";
import { describeError, RuntimeError } from "../../../src/errors.ts";
import type { Signer } from "../../../src/signer.ts";
import { type GpgHome, openGpgHome } from "../../support/gpg-home.ts";

const MIB = 1024 ** 2;
const PASSPHRASE = "correct horse battery";
const USER = "docker-ci releases <ci@example.org>";
const DAY_MS = 86_400_000;
const never = new AbortController().signal;
const content = randomBytes(300_000);

let home: GpgHome;
/** Of the keyring. */
let fingerprint: string;

beforeAll(async () => {
  home = await openGpgHome();
  fingerprint = await home.makeKey(USER, { passphrase: PASSPHRASE });
});
afterAll(() => home[Symbol.asyncDispose]());
afterEach(() => {
  vi.unstubAllEnvs();
});

async function open(keys: { gpgKey?: string; gpgPrivateKey?: string; passphrase?: string }): Promise<Signer> {
  const secret = (value: string | undefined) => (value === undefined ? undefined : new Secret(value));
  vi.stubEnv("GNUPGHOME", home.path);
  const signer = await openSigner({
    gpgKey: keys.gpgKey,
    gpgPrivateKey: secret(keys.gpgPrivateKey),
    passphrase: secret(keys.passphrase),
  });
  if (signer === undefined) throw new Error("no signer");
  return signer;
}

/** An armoured private key. */
async function makeKey(
  more: { passphrase?: string; date?: Date; keyExpirationTime?: number; config?: PartialConfig } = {},
): Promise<string> {
  const userIDs = [{ name: "docker-ci releases", email: "ci@example.org" }];
  return (await generateKey({ userIDs, type: "ecc", curve: "ed25519Legacy", ...more })).privateKey;
}

async function exported(): Promise<string> {
  const secret = ["--pinentry-mode", "loopback", "--passphrase", PASSPHRASE];
  return home.gpg([...secret, "--armor", "--export-secret-keys", fingerprint]);
}

async function sentenceOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    for (const seen of [describeError(error), inspect(error, { depth: 9 })]) {
      expect(seen).not.toMatch(/horse|wrong one|BEGIN PGP/);
    }
    expect(error.retryable).toBe(false);
    return error.message;
  }
  return "none";
}

/** By gpg, in a keyring that has nothing but that public key. */
async function gpgVerifies(signature: string, publicKey: string, signed: Buffer): Promise<string> {
  await using other = await openGpgHome();
  await other.gpg(["--import"], publicKey);
  const [file, detached] = [join(other.path, "content"), join(other.path, "content.asc")];
  await Promise.all([writeFile(file, signed), writeFile(detached, signature)]);
  return other.gpg(["--status-fd", "1", "--verify", detached, file]);
}

test("no key is configured: there is no signer, and such releases have sums alone", async () => {
  expect(await openSigner({ gpgKey: undefined, gpgPrivateKey: undefined, passphrase: undefined })).toBeUndefined();
});

test.each([
  [
    "a file",
    async () => {
      const file = join(home.path, "release.asc");
      await writeFile(file, await exported());
      return open({ gpgKey: file, passphrase: PASSPHRASE });
    },
  ],
  [
    "a file without armour",
    async () => {
      const file = join(home.path, "release.gpg");
      const secret = ["--pinentry-mode", "loopback", "--passphrase", PASSPHRASE];
      await home.gpg([...secret, "--yes", "--output", file, "--export-secret-keys", fingerprint]);
      return open({ gpgKey: file, passphrase: PASSPHRASE });
    },
  ],
  ["the environment", async () => open({ gpgPrivateKey: await exported(), passphrase: PASSPHRASE })],
  ["the keyring, by its fingerprint", () => open({ gpgKey: fingerprint, passphrase: PASSPHRASE })],
  ["the keyring, by its address", () => open({ gpgKey: "ci@example.org", passphrase: PASSPHRASE })],
])("a key in %s signs, and both gpg and OpenPGP.js say so", async (_where, opened) => {
  const signer = await opened();
  const key = await signer.key(never);
  expect(key).toMatchObject({ fingerprint, userId: USER, expiresAt: undefined });
  const signature = await signer.sign(Readable.from([content.subarray(0, 7), content.subarray(7)]), never);
  expect(signature).toMatch(/^-----BEGIN PGP SIGNATURE-----\r?\n/);
  expect(await gpgVerifies(signature, key.publicKey, content)).toContain(`VALIDSIG ${fingerprint}`);
  const verdict = await verifySignature(Readable.from([content]), signature, key.publicKey, never);
  expect(verdict).toMatchObject({ kind: "good", fingerprint });
  if (verdict.kind === "good") expect(Math.abs(verdict.signedAt.getTime() - Date.now())).toBeLessThan(60_000);
});

test("a changed byte, another's key and what is no signature are no good", async () => {
  const signer = await open({ gpgKey: fingerprint, passphrase: PASSPHRASE });
  const { publicKey } = await signer.key(never);
  const signature = await signer.sign(content, never);
  const changed = Buffer.from(content);
  changed[content.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  const other = await (await open({ gpgPrivateKey: await makeKey() })).key(never);
  const verdict = async (signed: Buffer, detached: string, trusted: string): Promise<unknown> =>
    verifySignature(signed, detached, trusted, never);
  expect(await verdict(changed, signature, publicKey)).toEqual({
    kind: "bad",
    reason: "the content is not what was signed",
  });
  expect(await verdict(content, signature, other.publicKey)).toEqual({
    kind: "bad",
    reason: "it was signed with another key",
  });
  expect(await verdict(content, "nonsense", publicKey)).toEqual({ kind: "bad", reason: "it is no signature" });
  await expect(verdict(content, signature, "nonsense")).rejects.toThrow(
    "the public key that is trusted cannot be read",
  );
});

test("a locked key, a wrong passphrase, no key and no file are told in sentences", async () => {
  const file = join(home.path, "locked.asc");
  await writeFile(file, await makeKey({ passphrase: PASSPHRASE }));
  const nonsense = join(home.path, "nonsense.asc");
  await writeFile(nonsense, "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nhorse\n");
  const missing = join(home.path, "missing.asc");
  // The agent may remember a passphrase that was right.
  const forget = async () => {
    await home.gpg(["--version"]);
    const { execFileSync } = await import("node:child_process");
    execFileSync("gpgconf", ["--kill", "gpg-agent"], { env: { ...process.env, GNUPGHOME: home.path } });
  };
  const cases: [Parameters<typeof open>[0], string][] = [
    [{ gpgKey: file }, `the signing key ${file} is locked, and no passphrase is configured`],
    [{ gpgKey: file, passphrase: "wrong one" }, `the passphrase does not open the signing key ${file}`],
    [{ gpgKey: nonsense }, `${nonsense} holds no private OpenPGP key that can be read`],
    [{ gpgKey: missing }, `there is no signing key ${missing}`],
    [{ gpgPrivateKey: "horse" }, "gpg_private_key holds no private OpenPGP key that can be read"],
    [{ gpgKey: "AAAA0000" }, "the keyring holds no private key AAAA0000"],
    [{ gpgKey: "--version" }, "the keyring holds no private key --version"],
    [{ gpgKey: fingerprint }, `the signing key ${fingerprint} is locked, and no passphrase is configured`],
    [{ gpgKey: fingerprint, passphrase: "wrong one" }, `the passphrase does not open the signing key ${fingerprint}`],
  ];
  for (const [keys, sentence] of cases) {
    const signer = await open(keys);
    await forget();
    expect(await sentenceOf(signer.key(never))).toBe(sentence);
    expect(await sentenceOf(signer.sign(content, never))).toBe(sentence);
  }
});

test("a key that expired, may not sign or was revoked does not sign; one that will expire says when", async () => {
  await using other = await openGpgHome();
  vi.stubEnv("GNUPGHOME", other.path);
  const inKeyring = async (gpgKey: string): Promise<Signer> => {
    const signer = await open({ gpgKey });
    vi.stubEnv("GNUPGHOME", other.path);
    return signer;
  };
  const old = await makeKey({ date: new Date(Date.now() - 9 * DAY_MS), keyExpirationTime: (8 * DAY_MS) / 1000 });
  const ended = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
  await other.gpg(["--import"], old);
  const certifier = await other.makeKey("Only Certifies <cert@example.org>", { uses: "cert" });
  const soon = await other.makeKey("Ends Soon <soon@example.org>", { expires: "2d" });
  const { privateKey: revoked } = await revokeKey({
    key: await (await import("openpgp")).readPrivateKey({ armoredKey: await makeKey() }),
  });
  const expired = new RegExp(`^the signing key \\S+ \\([0-9A-F]{40}\\) expired on ${ended}$`);
  expect(await sentenceOf((await open({ gpgPrivateKey: old })).sign(content, never))).toMatch(expired);
  expect(await sentenceOf((await inKeyring("ci@example.org")).sign(content, never))).toMatch(expired);
  expect(await sentenceOf((await inKeyring(certifier)).key(never))).toMatch(/ may not sign: /);
  const certifies = await other.gpg(["--armor", "--export-secret-keys", certifier]);
  expect(await sentenceOf((await open({ gpgPrivateKey: certifies })).key(never))).toMatch(/ may not sign: /);
  expect(await sentenceOf((await open({ gpgPrivateKey: revoked })).key(never))).toMatch(/ is revoked$/);
  const exportedSoon = await other.gpg(["--armor", "--export-secret-keys", soon]);
  for (const signer of [await inKeyring(soon), await open({ gpgPrivateKey: exportedSoon })]) {
    vi.stubEnv("GNUPGHOME", other.path);
    const { expiresAt } = await signer.key(never);
    expect(Math.abs((expiresAt?.getTime() ?? 0) - Date.now() - 2 * DAY_MS)).toBeLessThan(DAY_MS / 2);
  }
});

// O-175
test("neither key nor passphrase is ever on a command line (O-15)", async () => {
  const signer = await open({ gpgKey: fingerprint, passphrase: PASSPHRASE });
  const seen: string[] = [];
  const slow = Readable.from(
    (async function* () {
      yield content;
      const { readdir } = await import("node:fs/promises");
      for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
        const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
        if (/(^|\/)gpg\0/.test(line)) seen.push(line, environment);
      }
    })(),
  );
  await signer.sign(slow, never);
  expect(seen.join("\n")).toContain("--detach-sign");
  expect(seen.join("\n")).not.toContain("horse");
});

test.each(["file", "keyring"])(
  "200 MB are signed and verified in a bounded memory, by a key in a %s",
  async (where) => {
    const signer = await open(
      where === "file"
        ? { gpgPrivateKey: await exported(), passphrase: PASSPHRASE }
        : { gpgKey: fingerprint, passphrase: PASSPHRASE },
    );
    const { publicKey } = await signer.key(never);
    const chunk = randomBytes(MIB);
    const large = (): Readable =>
      Readable.from(
        (function* () {
          for (let count = 0; count < 200; count += 1) yield chunk;
        })(),
      );
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 10);
    const signature = await signer.sign(large(), never);
    const verdict = await verifySignature(large(), signature, publicKey, never);
    clearInterval(watch);
    expect(verdict.kind).toBe("good");
    expect((peak - before) / MIB).toBeLessThan(100);
  },
);

test.each(["file", "keyring"])("a source that fails and an abort end it, by a key in a %s", async (where) => {
  const signer = await open(
    where === "file"
      ? { gpgPrivateKey: await exported(), passphrase: PASSPHRASE }
      : { gpgKey: fingerprint, passphrase: PASSPHRASE },
  );
  const broken = Readable.from(
    (async function* () {
      yield content;
      throw new Error("the disk is gone");
    })(),
  );
  await expect(signer.sign(broken, never)).rejects.toThrow("the disk is gone");
  const aborting = new AbortController();
  const reason = new Error("stopped");
  const silent = new Readable({
    read() {
      aborting.abort(reason);
    },
  });
  await expect(signer.sign(silent, aborting.signal)).rejects.toBe(reason);
  expect(silent.destroyed).toBe(true);
});

test("a machine without gpg says what to do", async () => {
  const signer = await open({ gpgKey: fingerprint });
  vi.stubEnv("PATH", home.path);
  expect(await sentenceOf(signer.key(never))).toBe(
    "gpg_key names a key of the keyring, and gpg is not installed here; take gnupg, or a key's file",
  );
});
