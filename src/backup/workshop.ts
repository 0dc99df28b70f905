/** The folder in which a backup is made and proven, and what a process that was killed over one left there. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { stopLeftOver } from "./scratch-redis.ts";

const PREFIX = "work-";
/** The folders in it that may have a redis-server. */
const SERVERS = ["snapshot/redis", "proof/redis"];

/** On the same disk as the backups, so that a whole one is put in its place in one step. */
export async function openWorkshop(parent: string): Promise<AsyncDisposable & { readonly path: string }> {
  await sweepWorkshops(parent);
  const path = join(parent, PREFIX + randomBytes(4).toString("hex"));
  await mkdir(path, { recursive: true, mode: 0o700 });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Only by who has the lock: then whatever is there is nobody's. */
async function sweepWorkshops(parent: string): Promise<void> {
  const names: string[] = await readdir(parent).catch(() => [] /* nothing was ever made */);
  for (const name of names.filter((name) => name.startsWith(PREFIX))) {
    for (const server of SERVERS) await stopLeftOver(join(parent, name, server));
    await rm(join(parent, name), { recursive: true, force: true });
  }
}
