/** One run of gpg: nothing is asked on a terminal, and it ends when its signal says so. */
import { spawn } from "node:child_process";
import { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { RuntimeError } from "../../src/errors.ts";
import { isMissing } from "../../src/missing.ts";
import { cleanName } from "../../src/results/clean-name.ts";

export interface GpgRun {
  readonly signal: AbortSignal;
  readonly content?: Readable | Buffer;
  /** What it may read from descriptor 3. */
  readonly secret?: string | undefined;
}

export interface GpgEnded {
  readonly status: number | null;
  readonly stdout: string;
  /** The words of its status lines: `NEED_PASSPHRASE`. */
  readonly states: ReadonlySet<string>;
  /** The number of its error, as libgpg-error has it; 0: none. */
  readonly code: number;
  /** Its last line for people. */
  readonly said: string;
}

/** Keys are found by the usual GNUPGHOME. @throws RuntimeError when there is no gpg; what the content fails with. */
export async function runGpg(
  args: readonly string[],
  { signal, content = Buffer.alloc(0), secret = "" }: GpgRun,
): Promise<GpgEnded> {
  signal.throwIfAborted();
  const source = Buffer.isBuffer(content) ? Readable.from([content]) : content;
  let fault: unknown;
  source.once("error", (error) => {
    fault = error;
  });
  const child = spawn("gpg", ["--batch", "--no-tty", "--status-fd", "4", ...args], {
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
    signal,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  const [, , , passphrase, statusLines] = child.stdio;
  if (!(passphrase instanceof Writable) || !(statusLines instanceof Readable)) throw new Error("gpg has no pipes");
  // It may end without having read either.
  const ignore = (): void => undefined;
  passphrase.on("error", ignore).end(`${secret}\n`);
  const sent = pipeline(source, child.stdin).catch(() => {
    // A source that failed must not be signed as if it were whole.
    if (fault !== undefined) child.kill("SIGKILL");
  });
  try {
    const [stdout, stderr, states, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      text(statusLines),
      ended,
      sent,
    ]);
    if (fault !== undefined) throw fault;
    const said = cleanName(stderr.trim().split("\n").at(-1) ?? "");
    const words = [...states.matchAll(/^\[GNUPG:\] (\w+)/gm)].map(([, word = ""]) => word);
    const [, failure = "0"] = /^\[GNUPG:\] FAILURE \S+ (\d+)$/m.exec(states) ?? [];
    // The part of gpg that it comes from stands above it.
    const code = Number(failure) % 65_536;
    return { status, code, stdout, states: new Set(words), said };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!isMissing(error) || error === fault) throw error;
    const sentence = "gpg_key names a key of the keyring, and gpg is not installed here; take gnupg, or a key's file";
    throw new RuntimeError(sentence, { cause: error, retryable: false });
  } finally {
    source.destroy();
  }
}
