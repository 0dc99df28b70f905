/** `docker-ci restore <file or s3://bucket/key>`: asks, puts a backup in the place of what is there, and says what became of it. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { pino } from "pino";
import { KEY_PREFIX, NEWEST } from "../backup/names.ts";
import { progressLine } from "../backup/progress.ts";
import { type Restored, type RestorePlan, restore } from "../backup/restore.ts";
import { settledFacts } from "../backup/settle-records.ts";
import { line, lineText } from "../chat/reply.ts";
import { systemClock } from "../clock.ts";
import { type Bucket, type Config, loadConfig } from "../config.ts";
import { RuntimeError, UserError } from "../errors.ts";
import type { ObjectStore, OpenStore } from "../object-store.ts";
import { clockPhrase } from "../schedules/when.ts";
import { formatCount } from "../units.ts";
import { onSignals } from "./signals.ts";
import { showProgress } from "./terminal-progress.ts";

export interface RestoreArguments {
  readonly source: string;
  /** Nobody is asked. */
  readonly yes: boolean;
}

/** @returns 0, or 1 when it was not agreed to. @throws ConfigError, UserError, and RuntimeError for a damaged archive */
export async function restoreBackup(openStore: OpenStore, { source, yes }: RestoreArguments): Promise<number> {
  const config = await loadConfig({ env: process.env, cwd: process.cwd() });
  const stop = new AbortController();
  const forget = onSignals((signal) => stop.abort(new Error(`stopped by ${signal}`)));
  const shown = showProgress();
  const startedAt = new Date().toISOString();
  await using archive = await openArchive(config, openStore, source, stop.signal);
  try {
    const scene = {
      config,
      clock: systemClock,
      // Standard output is for people here.
      log: pino({ level: "silent" }),
      signal: stop.signal,
      onProgress: (done: { files: number; bytes: number }) =>
        shown.show(lineText(progressLine({ phase: "restore", startedAt, ...done }))),
    };
    const restored = await restore(scene, archive.open, async (plan) => {
      shown.clear();
      return await agreed(config, plan, yes);
    });
    shown.clear();
    say(restored === undefined ? "Nothing was changed." : outcome(config, restored));
    return restored === undefined ? 1 : 0;
  } finally {
    shown.clear();
    forget();
  }
}

interface Archive extends AsyncDisposable {
  open(): Promise<AsyncIterable<Uint8Array>>;
}

async function openArchive(
  config: Config,
  openStore: OpenStore,
  source: string,
  signal: AbortSignal,
): Promise<Archive> {
  if (!source.startsWith("s3://")) {
    const file = await stat(source).catch(() => undefined /* said below */);
    if (file?.isFile() !== true) throw new UserError(`there is no file ${source}; give a backup, or s3://bucket/key.`);
    return {
      open: async () => createReadStream(source, { highWaterMark: 256 * 1024 }),
      async [Symbol.asyncDispose]() {
        // Whoever reads the stream closes it.
      },
    };
  }
  const [bucket = "", ...path] = source.slice("s3://".length).split("/");
  const store = await openStore(bucketNamed(config, bucket));
  return {
    open: () => download(store, path.join("/"), signal),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** `s3://bucket` is its newest, `s3://bucket/docker-ci_2026-11-22.tgz` the one of that name, anything else a key. */
async function download(store: ObjectStore, path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const keys = path === "" ? [NEWEST] : [path, KEY_PREFIX + path];
  for (const key of keys) {
    const found = await store.get(key, signal);
    if (found !== undefined) return found.content;
  }
  throw new RuntimeError(`there is no ${keys[0]} at ${store.name}`, { retryable: false });
}

/** With the keys that the configuration has for it; else with those that the environment has. */
function bucketNamed(config: Config, name: string): Bucket {
  const known = config.backup?.targets.find(({ bucket }) => bucket === name);
  const bare = { endpoint: undefined, region: undefined, accessKey: undefined, secretKey: undefined };
  return known ?? { bucket: name, ...bare, pathStyle: false, storageClass: undefined };
}

async function agreed(config: Config, plan: RestorePlan, yes: boolean): Promise<boolean> {
  const { header, manifest, before, foreignKeys } = plan;
  const { builds, newest } = manifest.records;
  const when = clockPhrase(new Date(header.madeAt), systemClock.now(), config.timezone);
  const upTo = newest === undefined ? "" : ` up to #${newest}`;
  say(`The backup of ${when}, by docker-ci ${header.version}: ${buildCount(builds)}${upTo}.`);
  if (before === undefined && foreignKeys === 0) return true;
  if (before !== undefined) say(`It takes the place of what is in ${config.dataDir}, which is kept as ${before}.`);
  if (foreignKeys > 0)
    say(`The Redis that is configured holds ${formatCount(foreignKeys)} keys of a docker-ci, which it replaces.`);
  if (yes) return true;
  if (process.stdin.isTTY !== true) throw new UserError("there is nobody to ask; --yes says that it is meant.");
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await asking.question("Restore it? [y/N] ")).trim());
  } finally {
    asking.close();
  }
}

function outcome(config: Config, { header, manifest, before, settled, configFile }: Restored): string {
  const when = clockPhrase(new Date(header.madeAt), systemClock.now(), config.timezone);
  const facts = [`restored the backup of ${when}`, buildCount(manifest.records.builds)];
  const lines = [lineText(line("passed", facts)), ...settledFacts(settled).map((fact) => `  ${fact}`)];
  if (before !== undefined) lines.push(`  what was there is in ${before}`);
  if (configFile !== undefined) lines.push(`  the configuration of then, without its secrets, is ${configFile}`);
  return [...lines, "  docker-ci start goes on from there"].join("\n");
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function buildCount(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "build" : "builds"}`;
}
