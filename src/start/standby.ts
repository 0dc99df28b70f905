/**
 * Standing by: a docker-ci that finds its data folder taken listens all the same, and takes the folder over when the other one is
 * gone. The first request that a gateway sends here, and not to the other one, has the other one hand over; it is held until then.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { type DataFolder, FolderTakenError, openDataFolder, watchDataFolder } from "../data-folder.ts";
import type { Holder } from "../folder-lock.ts";
import { type Front, openFront } from "../web/front.ts";
import { type ServePages, servePages } from "../web/serve.ts";

/** One that ends every connection at once, as a docker-ci before this one did, is asked no more often. */
const LOOK_EVERY_MS = 250;

export interface StandbyScene {
  readonly config: Pick<Config, "dataDir" | "listen" | "hooks">;
  readonly version: string;
  /** Otherwise a folder that is taken is an error. */
  readonly mayWait: boolean;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Sentences for whoever started it. */
  say(text: string): void;
}

/** What is there when the wait is over. Disposing closes the addresses, where nobody has begun to serve pages there. */
export interface Standby extends AsyncDisposable {
  /** Undefined where the wait was ended. */
  readonly folder: DataFolder | undefined;
  /** Serves at the addresses that are open already. */
  readonly servePages: ServePages;
}

/** @throws ConfigError when an address cannot be listened on, or the folder is taken for good or cannot be used at all. */
export async function takeOrStandBy(scene: StandbyScene): Promise<Standby> {
  const { config, mayWait } = scene;
  const first = mayWait ? await tryToTake(config) : await openDataFolder(config.dataDir);
  if (first !== undefined) return { folder: first, servePages, [Symbol.asyncDispose]: async () => undefined };
  const fronts = new Map<string, Front>();
  const close = async (): Promise<void> => {
    await Promise.all([...fronts.values()].map((front) => front[Symbol.asyncDispose]()));
  };
  try {
    return {
      folder: await wait(scene, fronts),
      async servePages(fetch, address, key = "listen") {
        return fronts.get(key)?.answerWith(fetch) ?? (await servePages(fetch, address, key));
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function wait(
  { config, version, signal, say }: StandbyScene,
  fronts: Map<string, Front>,
): Promise<DataFolder | undefined> {
  const { dataDir } = config;
  let holder: Holder | undefined;
  let isStarting = false;
  const isAskedFor = (): boolean => [...fronts.values()].some(({ held }) => held > 0);
  const state = () => {
    if (isStarting) return { status: "taking over", reason: "this docker-ci is starting" };
    if (isAskedFor()) return { status: "taking over", reason: `the docker-ci that has ${dataDir} is to hand over` };
    return { status: "standby", reason: `another docker-ci has ${dataDir}` };
  };
  const ask = (): void => {
    if (holder === undefined) return;
    say(`asked for a page: the other docker-ci is to hand over ${dataDir}`);
    holder.ask();
    // Once is enough for this one.
    holder = undefined;
  };
  const front = { version, state, onHeld: ask };
  fronts.set("listen", await openFront(front, config.listen));
  if (config.hooks !== undefined) {
    fronts.set("hooks.listen", await openFront(front, config.hooks.listen, "hooks.listen"));
  }
  say(`standing by: another docker-ci has ${dataDir}`);

  const stopped = signal.aborted ? Promise.resolve() : once(signal, "abort");
  while (!signal.aborted) {
    const earliest = sleep(LOOK_EVERY_MS, undefined, { ref: false });
    using watched = watchDataFolder(dataDir);
    holder = watched;
    // Also the next one that has it, if it was faster than this one.
    if (isAskedFor()) ask();
    await Promise.race([watched.gone, stopped]);
    const folder = signal.aborted ? undefined : await tryToTake(config);
    if (folder !== undefined) {
      isStarting = true;
      say(`taking over ${dataDir}`);
      return folder;
    }
    await Promise.race([earliest, stopped]);
  }
  return undefined;
}

/** @returns undefined when another docker-ci has it. */
async function tryToTake({ dataDir }: Pick<Config, "dataDir">): Promise<DataFolder | undefined> {
  try {
    return await openDataFolder(dataDir);
  } catch (error) {
    if (error instanceof FolderTakenError) return undefined;
    throw error;
  }
}
