/** Git repositories, read in the testbuilder: one warm container, one execution for each question, begun beforehand. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Logger } from "pino";
import { RuntimeError } from "../../src/errors.ts";
import { Sha } from "../../src/names.ts";
import { nearest } from "../../src/nearest.ts";
import { type Revisions, UnknownRefError } from "../../src/revisions.ts";
import type { ContainerRuntime, Execution } from "../../src/runtime.ts";
import { type Address, parseAddress } from "./address.ts";
import { parseCommits, parseRevision, readChangedLines } from "./answers.ts";
import { shortReason } from "./reason.ts";
import { Spares } from "./spares.ts";
import { WarmContainer } from "./warm-container.ts";

/** As testbuilder/revision takes them. */
type Question = "resolve" | "pack" | "between" | "base" | "changed";

const NO_SUCH_NAME = 3;
/** A command that ends so was killed with its container. */
const KILLED = 137;

export interface TestbuilderOptions {
  readonly runtime: ContainerRuntime;
  /** What the testbuilder's image is made from. */
  readonly baseImage?: string;
  /** The named volume that keeps what was fetched. */
  readonly cacheVolume: string;
  /** Addresses and paths as configured: paths among them are mounted, and ~/.ssh when one of them takes it. */
  readonly repositories: readonly string[];
  /** Part of the container's name: one container for each. */
  readonly instance: string;
  readonly log: Logger;
  /** For git itself: the operator's proxy, for instance. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long a server may take to say what it has, in seconds. */
  readonly answerSeconds?: number;
}

/** `warm` starts what is needed for a quick answer before it is needed; disposing removes it. */
export interface Testbuilder extends Revisions {
  warm(signal: AbortSignal): Promise<void>;
}

/** Opens nothing: the image and the container are made by the first question, or by `warm`. */
export function openTestbuilder(options: TestbuilderOptions): Testbuilder {
  const configured = options.repositories.map(parseAddress);
  const paths = configured.filter(({ kind }) => kind === "local").map(({ git }) => git);
  const sshFolder = join(homedir(), ".ssh");
  const warm = new WarmContainer({
    runtime: options.runtime,
    image: { base: options.baseImage ?? "docker-ci/base", uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    instance: options.instance,
    cacheVolume: options.cacheVolume,
    sshFolder: configured.some(({ kind }) => kind === "ssh") && existsSync(sshFolder) ? sshFolder : undefined,
    env: options.env ?? {},
    log: options.log,
  });
  const spares = new Spares();
  const forget = (): void => {
    spares.clear();
    warm.forget();
  };

  /** A container that is gone or killed is found out by the execution that it refuses: once more then, in a new one. */
  async function ask(question: Question, address: Address, name: string, signal: AbortSignal) {
    const env = { ...address.env, ANSWER_SECONDS: `${options.answerSeconds ?? 60}` };
    const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const texts = [...settings, "", question, address.key, address.git, name];
    const input = texts.map((text) => `${text}\0`).join("");
    const repositories = address.kind === "local" ? [...paths, address.git] : paths;
    const attempt = async () => spares.ask(await warm.get(repositories, signal), input, signal);
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      options.log.warn({ err: error }, "testbuilder is gone");
      forget();
      return await attempt();
    }
  }

  return {
    async warm(signal) {
      spares.fill(await warm.get(paths, signal));
    },
    async resolve(repo, ref, signal) {
      const address = parseAddress(repo);
      for (let attempt = 1; ; attempt += 1) {
        const execution = await ask("resolve", address, ref, signal);
        const answer = await readAll(execution.stdout);
        const exitCode = await execution.exitCode();
        if (exitCode === 0) return parseRevision(ref, answer);
        if (exitCode === NO_SUCH_NAME) throw new UnknownRefError(ref, nearest(ref, answer.split("\n").filter(Boolean)));
        if (exitCode !== KILLED || attempt > 1) throw unreadable(address, execution);
        forget();
      }
    },
    async pack(repo, sha, signal) {
      const address = parseAddress(repo);
      return wholeOrError(await ask("pack", address, sha, signal), address);
    },
    async between(repo, from, to, signal) {
      const address = parseAddress(repo);
      const execution = await ask("between", address, `${from}..${to}`, signal);
      const answer = await readAll(execution.stdout);
      if ((await execution.exitCode()) !== 0) throw unreadable(address, execution);
      return parseCommits(answer);
    },
    async mergeBase(repo, branch, sha, signal) {
      const address = parseAddress(repo);
      const execution = await ask("base", address, `${sha}..${branch}`, signal);
      const answer = await readAll(execution.stdout);
      const exitCode = await execution.exitCode();
      if (exitCode === NO_SUCH_NAME) return undefined;
      if (exitCode !== 0) throw unreadable(address, execution);
      return Sha.parse(answer.trim());
    },
    async changedLines(repo, from, to, signal) {
      const address = parseAddress(repo);
      const execution = await ask("changed", address, `${from}..${to}`, signal);
      const changed = await readChangedLines(execution.stdout);
      if ((await execution.exitCode()) !== 0) throw unreadable(address, execution);
      return changed;
    },
    async [Symbol.asyncDispose]() {
      spares.clear();
      await warm.remove();
    },
  };
}

/** The tree, whose end comes only when git has ended well: a tar cut short would look like a smaller tree. */
function wholeOrError(execution: Execution, address: Address): Readable {
  async function* read() {
    yield* execution.stdout;
    if ((await execution.exitCode()) !== 0) throw unreadable(address, execution);
  }
  const tree = Readable.from(read(), { objectMode: false });
  tree.once("close", () => execution.stdout.destroy());
  return tree;
}

function unreadable(address: Address, execution: Execution): RuntimeError {
  const stderr = execution.stderr();
  return new RuntimeError(`cannot reach ${address.shown}: ${shortReason(stderr)}`, { cause: new Error(stderr.trim()) });
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
