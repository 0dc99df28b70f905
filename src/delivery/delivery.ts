/**
 * Brings what the builds of this worker left behind to the bot. What could not be brought stays here, and is brought later: a note
 * in the data folder says of which builds something is missing, so that a worker that was killed knows it too.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { type Build, isFinished } from "../builds/build.ts";
import type { BuildStore } from "../builds/store.ts";
import { clearKept } from "../builds/take-over.ts";
import { describeError, RuntimeError } from "../errors.ts";
import { ifMissing } from "../missing.ts";
import { BuildNumber, ProjectName } from "../names.ts";
import { resultsFolder } from "../results/results.ts";
import { type Depot, type Sent, SupersededError } from "./depot.ts";
import { filesOf } from "./places.ts";
import { sha256OfFile } from "./sha256.ts";

/** A build waits so long for a bot that is just being started anew, and then ends without its files. */
const DELAYS_MS = [1_000, 3_000];
const LATER_MS = 20_000;
/** Results of other builds that were fetched, and of our own, to compare with; more of them only fill the disk. */
const RESULTS_KEPT = 200;
const FETCH_TIMEOUT_MS = 20_000;

/** `sent`: by path what of it is there, as `<bytes> <changed>`. */
const Note = z.object({
  number: BuildNumber,
  project: ProjectName,
  attempt: z.number().int(),
  begun: z.boolean(),
  sent: z.record(z.string(), z.string()),
});
type Note = z.infer<typeof Note>;

export interface Delivery extends AsyncDisposable {
  /**
   * Brings all that is here by now; its end may be told then.
   * @returns why something is missing, as a phrase; undefined when all is there.
   * @throws the signal's reason, and SupersededError.
   */
  deliver(build: Build, signal: AbortSignal): Promise<string | undefined>;
  /** After the end: brings what was made since, and removes what is there from this machine. */
  settle(build: Build): Promise<void>;
  /** Nobody wants the files of that attempt. */
  forget(build: Build): Promise<void>;
  /** Its job is over, however it ended: what is missing of it is brought when it is looked for. */
  letGo(number: BuildNumber): void;
  /** Fetches the results of another build, if they are not here. What cannot be fetched is missing, and logged. */
  bringResults(number: BuildNumber): Promise<void>;
}

export interface DeliveryScene {
  readonly dataDir: string;
  readonly store: Pick<BuildStore, "get">;
  /** Undefined where nothing is configured to bring them with: all stays here. */
  readonly depot: Depot | undefined;
  readonly log: Logger;
  /** The worker's name. */
  readonly worker: string;
  /** Told once, at the start, why nothing can be brought. */
  warn(text: string): void;
  readonly laterMs?: number;
  readonly delaysMs?: readonly number[];
}

const NOT_CONFIGURED = "worker_token and store are missing in its configuration";

export function openDelivery(scene: DeliveryScene): Delivery {
  const { dataDir, store, depot, log, laterMs = LATER_MS, delaysMs = DELAYS_MS } = scene;
  const folder = join(dataDir, "docker-ci", "undelivered");
  const fileOf = (number: number): string => join(folder, `${number}.json`);
  const stopped = new AbortController();
  /** Builds that jobs are at, which nobody else touches. */
  const busy = new Set<number>();

  async function read(number: number): Promise<Note | undefined> {
    try {
      const text = await readFile(fileOf(number), "utf8").catch(ifMissing(undefined /* all of it is there */));
      return text === undefined ? undefined : Note.parse(JSON.parse(text));
    } catch (error) {
      log.warn(
        { err: error, build: number },
        "a note of what is to be brought cannot be read; all of it is brought anew",
      );
      return undefined;
    }
  }

  async function write(note: Note): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(`${fileOf(note.number)}.part`, JSON.stringify(note));
    await rename(`${fileOf(note.number)}.part`, fileOf(note.number));
  }

  async function noteOf({ number, project, attempt }: Sent): Promise<Note> {
    const before = await read(number);
    if (before?.attempt === attempt) return before;
    const note: Note = { number: BuildNumber.parse(number), project, attempt, begun: false, sent: {} };
    await write(note);
    return note;
  }

  /** One go at all that is not there yet; how far it came is written down. */
  async function bring(to: Depot, note: Note, signal: AbortSignal): Promise<void> {
    try {
      if (!note.begun) await to.begin(note, signal);
      note.begun = true;
      for (const left of await filesOf(dataDir, note)) {
        signal.throwIfAborted();
        const { mtimeMs } = await stat(left.file);
        const mark = `${left.bytes} ${mtimeMs}`;
        if (note.sent[left.path] === mark) continue;
        await to.put(note, { ...left, sha256: await sha256OfFile(left.file) }, signal);
        note.sent[left.path] = mark;
      }
    } finally {
      await write(note);
    }
  }

  async function done(note: Note): Promise<void> {
    await rm(fileOf(note.number), { force: true });
    // The results stay a while: builds to come are compared with them.
    await clearKept({ config: { dataDir } }, note, { results: false });
    await pruneResults(dataDir);
  }

  async function later(): Promise<void> {
    const names: string[] = await readdir(folder).catch(ifMissing([] /* nothing is missing */));
    for (const name of names) {
      const number = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
      if (!Number.isInteger(number) || busy.has(number)) continue;
      const build = await store.get(BuildNumber.parse(number));
      const note = await read(number);
      if (build === undefined || (note !== undefined && note.attempt !== build.attempt)) {
        await rm(fileOf(number), { force: true });
        if (note !== undefined) await clearKept({ config: { dataDir } }, note);
        continue;
      }
      if (isFinished(build)) await settle(build);
    }
  }

  async function settle(build: Build): Promise<void> {
    if (depot === undefined) return;
    const note = await noteOf(build);
    try {
      await bring(depot, note, stopped.signal);
      await done(note);
    } catch (error) {
      if (error instanceof SupersededError) return await forget(build);
      if (stopped.signal.aborted) return;
      log.warn({ reason: describeError(error), build: build.number, to: depot.name }, "files not brought yet");
    } finally {
      busy.delete(build.number);
    }
  }

  async function forget(build: Build): Promise<void> {
    busy.delete(build.number);
    await rm(fileOf(build.number), { force: true });
    await clearKept({ config: { dataDir } }, build);
  }

  const looking = (async () => {
    await depot?.greet(scene.worker, stopped.signal).catch((error: unknown) => {
      if (!stopped.signal.aborted) scene.warn(`what builds leave stays here for now: ${describeError(error)}`);
    });
    while (!stopped.signal.aborted) {
      if (depot !== undefined) {
        await later().catch((error: unknown) => log.warn({ reason: describeError(error) }, "could not look for files"));
      }
      // The loop sees the abort.
      await sleep(laterMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  })();

  return {
    async deliver(build, signal) {
      busy.add(build.number);
      const note = await noteOf(build);
      if (depot === undefined) return NOT_CONFIGURED;
      for (let tries = 0; ; tries += 1) {
        try {
          await bring(depot, note, signal);
          return undefined;
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof SupersededError) throw error;
          const reason = describeError(error);
          log.warn({ reason, build: build.number, tries: tries + 1 }, "files could not be brought");
          const delayMs = delaysMs[tries];
          const hopeless = error instanceof RuntimeError && !error.retryable;
          if (delayMs === undefined || hopeless) return error instanceof Error ? error.message : reason;
          // The next go sees the abort.
          await sleep(delayMs, undefined, { signal }).catch(() => undefined);
        }
      }
    },
    settle,
    forget,
    letGo: (number) => void busy.delete(number),
    async bringResults(number) {
      const build = depot === undefined ? undefined : await store.get(number);
      if (depot === undefined || build === undefined || (await exists(resultsFolder(dataDir, number)))) return;
      try {
        const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
        await depot.fetchResults(build, dataDir, signal);
      } catch (error) {
        log.warn({ reason: describeError(error), build: number }, "results of an earlier build could not be fetched");
      }
    },
    async [Symbol.asyncDispose]() {
      stopped.abort(new Error("docker-ci is stopping"));
      await Promise.race([looking, sleep(2_000, undefined, { ref: false })]);
    },
  };
}

async function pruneResults(dataDir: string): Promise<void> {
  const folder = join(dataDir, "docker-ci", "results");
  const names: string[] = await readdir(folder).catch(ifMissing([] /* none */));
  const numbers = names.map(Number).filter(Number.isInteger);
  for (const number of numbers.toSorted((a, b) => b - a).slice(RESULTS_KEPT)) {
    await rm(join(folder, String(number)), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
