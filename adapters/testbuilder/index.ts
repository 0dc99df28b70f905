/** Git repositories, read in the testbuilder: one warm container, one execution for each question, begun beforehand. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Logger } from "pino";
import { RuntimeError } from "../../src/errors.ts";
import { GitRef, Sha } from "../../src/names.ts";
import { nearest } from "../../src/nearest.ts";
import { type ChangedLines, MergeConflictError, type Revisions, UnknownRefError } from "../../src/revisions.ts";
import type { ContainerRuntime, Execution } from "../../src/runtime.ts";
import { type Address, parseAddress } from "./address.ts";
import { parseCommits, parseConflicts, parseHeads, parseRevision, readChangedLines } from "./answers.ts";
import type { TestbuilderImage } from "./image.ts";
import { shortReason } from "./reason.ts";
import { Spares } from "./spares.ts";
import { WarmContainer } from "./warm-container.ts";

/** As testbuilder/revision takes them. */
type Question = "resolve" | "pull" | "message" | "tag" | "heads" | "pack" | "merge" | "between" | "base" | "changed";

const NO_SUCH_NAME = 3;
const CONFLICT = 5;
const NO_SUCH_BRANCH = 6;
const TAKEN = 7;
/** A command that ends so was killed with its container. */
const KILLED = 137;

interface Answer {
  readonly text: string;
  readonly exitCode: number;
  readonly execution: Execution;
}

/** What ./setup.sh makes, and what the README's chapter on production builds. */
const BASE_IMAGES = ["docker-ci/base", "docker-ci/testbuilder"] as const;

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
  const bases: TestbuilderImage["bases"] = options.baseImage === undefined ? BASE_IMAGES : [options.baseImage];
  const warm = new WarmContainer({
    runtime: options.runtime,
    image: { bases, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
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

  /** A short answer. A container that is killed while it answers is asked once more, anew. */
  async function answer(question: Question, address: Address, name: string, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const execution = await ask(question, address, name, signal);
      const text = await readAll(execution.stdout);
      const exitCode = await execution.exitCode();
      if (exitCode !== KILLED || attempt > 1) return { text, exitCode, execution };
      forget();
    }
  }

  /** The commit of `head` merged into `base`; the same two always make the same one. */
  async function merge(address: Address, head: Sha, base: Sha, signal: AbortSignal): Promise<Sha> {
    const { text, exitCode, execution } = await answer("merge", address, `${head}..${base}`, signal);
    if (exitCode === CONFLICT) throw new MergeConflictError(parseConflicts(text));
    if (exitCode !== 0) throw unreadable(address, execution);
    return Sha.parse(text.trim());
  }

  async function changedBetween(address: Address, from: Sha, to: Sha, signal: AbortSignal): Promise<ChangedLines> {
    const execution = await ask("changed", address, `${from}..${to}`, signal);
    const changed = await readChangedLines(execution.stdout);
    if ((await execution.exitCode()) !== 0) throw unreadable(address, execution);
    return changed;
  }

  return {
    async warm(signal) {
      spares.fill(await warm.get(paths, signal));
    },
    async resolve(repo, ref, signal) {
      const address = parseAddress(repo);
      const { text, exitCode, execution } = await answer("resolve", address, ref, signal);
      if (exitCode === 0) return parseRevision(ref, text);
      if (exitCode === NO_SUCH_NAME) throw unknown(ref, text);
      throw unreadable(address, execution);
    },
    async pullRequest(repo, number, into, signal) {
      const address = parseAddress(repo);
      const { text, exitCode, execution } = await answer("pull", address, `${number}..${into}`, signal);
      if (exitCode === 0) return parseRevision(into, text, number);
      if (exitCode === NO_SUCH_NAME) throw new UnknownRefError(GitRef.parse(`PR#${number}`), []);
      if (exitCode === NO_SUCH_BRANCH) throw unknown(into, text);
      throw unreadable(address, execution);
    },
    async tag(repo, name, sha, signal) {
      const address = parseAddress(repo);
      if (address.kind === "local")
        throw new RuntimeError(`${address.shown} is only read here: git tag ${name} ${sha} sets it there`, {
          retryable: false,
        });
      const { text, exitCode, execution } = await answer("tag", address, `${sha}..${name}`, signal);
      if (exitCode === TAKEN)
        throw new RuntimeError(`the tag ${name} is at ${text.trim().slice(0, 7)} already`, { retryable: false });
      if (exitCode !== 0) throw unreadable(address, execution);
    },
    async message(repo, sha, signal) {
      const address = parseAddress(repo);
      const { text, exitCode, execution } = await answer("message", address, sha, signal);
      if (exitCode === 0) return text.trim();
      throw unreadable(address, execution);
    },
    async heads(repo, signal) {
      const address = parseAddress(repo);
      const { text, exitCode, execution } = await answer("heads", address, "", signal);
      if (exitCode === 0) return parseHeads(text);
      throw unreadable(address, execution);
    },
    async pack(repo, sha, signal) {
      const address = parseAddress(repo);
      return wholeOrError(await ask("pack", address, sha, signal), address);
    },
    async packMerged(repo, head, base, signal) {
      const address = parseAddress(repo);
      const merged = await merge(address, head, base, signal);
      return wholeOrError(await ask("pack", address, merged, signal), address);
    },
    async between(repo, from, to, signal) {
      const address = parseAddress(repo);
      const { text, exitCode, execution } = await answer("between", address, `${from}..${to}`, signal);
      if (exitCode !== 0) throw unreadable(address, execution);
      return parseCommits(text);
    },
    async mergeBase(repo, branch, sha, signal) {
      const address = parseAddress(repo);
      const { text, exitCode, execution } = await answer("base", address, `${sha}..${branch}`, signal);
      if (exitCode === NO_SUCH_NAME) return undefined;
      if (exitCode !== 0) throw unreadable(address, execution);
      return Sha.parse(text.trim());
    },
    async changedLines(repo, from, to, signal) {
      return await changedBetween(parseAddress(repo), from, to, signal);
    },
    async mergedLines(repo, head, base, signal) {
      const address = parseAddress(repo);
      return await changedBetween(address, base, await merge(address, head, base, signal), signal);
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

/** @param names what there is, one a line. */
function unknown(ref: GitRef, names: string): UnknownRefError {
  return new UnknownRefError(ref, nearest(ref, names.split("\n").filter(Boolean)));
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
