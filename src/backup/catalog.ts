/**
 * What is known of the backups, beside them in their folder: in Redis it would be older than they are after a restore. A backup
 * that it does not know, as after a kill, is listed all the same, and proven like any other.
 */
import { readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ifMissing } from "../missing.ts";
import { byName, isBackupName, NEWEST } from "./names.ts";

const FILE = "catalog.json";

export const CatalogEntry = z.strictObject({
  name: z.string(),
  madeAt: z.iso.datetime(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().optional(),
  content: z.string().optional(),
  builds: z.number().int().nonnegative().optional(),
  /** The last time when nothing had changed since. */
  unchangedAt: z.iso.datetime().optional(),
  provenAt: z.iso.datetime().optional(),
  /** Why it does not restore. */
  fault: z.string().optional(),
  /** By the name of the bucket, when it came to lie there. */
  stored: z.record(z.string(), z.iso.datetime()).default({}),
});
export type CatalogEntry = z.infer<typeof CatalogEntry>;

/** As it is listed. */
export interface Listed extends CatalogEntry {
  /** Whether its file is there, as long as it was. */
  readonly isThere: boolean;
}

/** @param folder made by whoever writes there; only one process writes at a time. */
export function openCatalog(folder: string) {
  async function read(): Promise<CatalogEntry[]> {
    const text = await readFile(join(folder, FILE), "utf8").catch(ifMissing("[]" /* there is none yet */));
    try {
      return z.array(CatalogEntry).parse(JSON.parse(text));
    } catch {
      // Cut, or of another version: the files themselves are what counts.
      return [];
    }
  }
  async function write(entries: readonly CatalogEntry[]): Promise<void> {
    const draft = join(folder, `${FILE}.new`);
    await writeFile(draft, `${JSON.stringify(entries, undefined, 2)}\n`, { mode: 0o600, flush: true });
    await rename(draft, join(folder, FILE));
  }

  return {
    folder,
    /** The newest first. */
    async list(): Promise<Listed[]> {
      const names: string[] = await readdir(folder).catch(ifMissing([] /* nothing was ever backed up */));
      const entries = new Map((await read()).map((entry) => [entry.name, entry]));
      const listed: Listed[] = [];
      for (const name of new Set([...names.filter(isBackupName), ...entries.keys()])) {
        const file = await stat(join(folder, name)).catch(ifMissing(undefined));
        const entry = entries.get(name);
        if (entry !== undefined) listed.push({ ...entry, isThere: file?.size === entry.bytes });
        else if (file !== undefined) listed.push({ ...unknown(name, file), isThere: true });
      }
      return listed.toSorted((a, b) => byName(b.name, a.name));
    },
    /** Adds it, or writes it anew. */
    async put(entry: CatalogEntry): Promise<void> {
      const others = (await read()).filter(({ name }) => name !== entry.name);
      await write([...others, CatalogEntry.parse(plain(entry))].toSorted((a, b) => byName(a.name, b.name)));
    },
    async forget(name: string): Promise<void> {
      await write((await read()).filter((entry) => entry.name !== name));
    },
    /** Replaced in one step, so that it always points to a whole backup. */
    async point(name: string): Promise<void> {
      const draft = join(folder, `${NEWEST}.new`);
      await rm(draft, { force: true });
      await symlink(name, draft);
      await rename(draft, join(folder, NEWEST));
    },
  };
}

function unknown(name: string, { size, mtime }: { size: number; mtime: Date }): CatalogEntry {
  return { name, madeAt: mtime.toISOString(), bytes: size, stored: {} };
}

function plain(entry: CatalogEntry & { readonly isThere?: boolean }): CatalogEntry {
  const { isThere: _, ...rest } = entry;
  return rest;
}
