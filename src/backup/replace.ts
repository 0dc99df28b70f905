/**
 * Putting restored files in the place of others, in steps that can be gone on with after a kill at any moment: until `restore.json`
 * stands nothing was touched, and while it stands nothing starts in that folder before it is done.
 */
import { constants } from "node:fs";
import { access, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../errors.ts";
import { ifMissing } from "../missing.ts";

/** In the data folder, so that moving is renaming: a volume is a disk of its own. */
const STAGING = "restore";
const JOURNAL = "restore.json";

const Journal = z.strictObject({
  /** `records`: the Redis that is configured gets them first; `aside`: what is there goes away; `in`: what is new comes. */
  phase: z.enum(["records", "aside", "in"]),
  before: z.string(),
});
export type Journal = z.infer<typeof Journal>;

export interface Staging {
  /** Where the archive is unpacked. */
  readonly unpacked: string;
  /** What will stand in the data folder. */
  readonly next: string;
  /** Records for a Redis of its own. */
  readonly records: string;
}

export function stagingOf(dataDir: string): Staging {
  const folder = join(dataDir, STAGING);
  return { unpacked: join(folder, "unpacked"), next: join(folder, "next"), records: join(folder, "records.jsonl") };
}

/** What is never replaced: backups, what earlier restores put aside, and the lock of who replaces. */
function stays(name: string): boolean {
  return name === "backup" || name === STAGING || name.startsWith(`${JOURNAL}`) || /^before-|\.sock$/.test(name);
}

/** Whether there is anything that a restore would put aside. */
export async function holdsAnything(dataDir: string): Promise<boolean> {
  const names: string[] = await readdir(dataDir).catch(ifMissing([] /* not made yet */));
  return names.some((name) => !stays(name));
}

export async function readJournal(dataDir: string): Promise<Journal | undefined> {
  const text = await readFile(join(dataDir, JOURNAL), "utf8").catch(ifMissing(undefined /* none is under way */));
  return text === undefined ? undefined : Journal.parse(JSON.parse(text));
}

export async function writeJournal(dataDir: string, journal: Journal): Promise<void> {
  const draft = join(dataDir, `${JOURNAL}.new`);
  await writeFile(draft, JSON.stringify(journal), { flush: true });
  await rename(draft, join(dataDir, JOURNAL));
  // The name as well as the content is to outlive a power cut.
  await using folder = await open(dataDir);
  await folder.sync();
}

/**
 * `<data>.before-<time>`, beside the data folder; inside it where nothing can be put beside it, or where it is a disk of its own, as a
 * container's volume is: what lies beside that is gone with the container.
 */
export async function beforeFolder(dataDir: string, at: Date): Promise<string> {
  const time = at.toISOString().slice(0, 19).replaceAll(":", "");
  const parent = dirname(dataDir);
  const [own, around] = await Promise.all([stat(dataDir), stat(parent)]);
  const isWritable = await access(parent, constants.W_OK).then(
    () => true,
    () => false,
  );
  return own.dev !== around.dev || !isWritable
    ? join(dataDir, `before-${time}`)
    : join(parent, `${basename(dataDir)}.before-${time}`);
}

/** Goes on with a replacement where it stands. @throws ConfigError when the records of another Redis were not all written. */
export async function finishReplacing(dataDir: string): Promise<void> {
  const journal = await readJournal(dataDir);
  if (journal === undefined) return;
  if (journal.phase === "records") {
    throw new ConfigError("docker-ci cannot start.", [
      `data: a restore into ${dataDir} was cut short while it wrote the records; run the same docker-ci restore again`,
    ]);
  }
  const { next } = stagingOf(dataDir);
  if (journal.phase === "aside") {
    await mkdir(journal.before, { recursive: true, mode: 0o700 });
    for (const name of (await readdir(dataDir)).filter((each) => !stays(each))) {
      await rename(join(dataDir, name), join(journal.before, name));
    }
    await writeJournal(dataDir, { ...journal, phase: "in" });
  }
  for (const name of await readdir(next)) await rename(join(next, name), join(dataDir, name));
  await rm(join(dataDir, JOURNAL));
  await rm(join(dataDir, STAGING), { recursive: true, force: true });
}
