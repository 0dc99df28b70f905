/** What the process around it asks an engine: whether it answers, and where it keeps what it writes. */
import type { Config } from "../config.ts";
import type { Place } from "../retention/disk.ts";
import type { Engine } from "../worker.ts";

/** How long whoever reads `/metrics`, or looks after the disks, waits to hear that the engine does not answer. */
const PATIENCE_MS = 2_000;

/** Where builds write to: the engine's own folder counts where it is on this machine, and can be seen from here. */
export function placesOf({ dataDir }: Config, engine: Engine | undefined): () => Promise<readonly Place[]> {
  const data: Place = { of: "data folder", path: dataDir, mayBeElsewhere: false };
  // An engine's folder stays where it is; what it says of itself takes it a while.
  let rootFolder: string | undefined;
  return async () => {
    const ask = () => engine?.runtime.info(AbortSignal.timeout(PATIENCE_MS)).catch(() => undefined /* away */);
    rootFolder ??= (await ask())?.rootFolder;
    return rootFolder === undefined ? [data] : [data, { of: "engine", path: rootFolder, mayBeElsewhere: true }];
  };
}

export async function engineAnswers({ runtime }: Engine): Promise<boolean> {
  return runtime.info(AbortSignal.timeout(PATIENCE_MS)).then(
    () => true,
    () => false,
  );
}
