/** How what workers elsewhere leave behind comes to the bot: by a bucket, or over HTTP. */
import type { Logger } from "pino";
import type { BuildStore } from "../builds/store.ts";
import type { Config } from "../config.ts";
import { type Bring, createBringing } from "../delivery/bring.ts";
import { bucketDepot } from "../delivery/bucket-depot.ts";
import type { Depot } from "../delivery/depot.ts";
import { httpDepot } from "../delivery/http-depot.ts";
import type { Results } from "../results/results.ts";
import type { ReleaseTools } from "./releases.ts";

export interface DeliveryParts {
  readonly config: Config;
  readonly tools: Pick<ReleaseTools, "openStore">;
  readonly log: Logger;
  say(text: string): void;
}

/** Fetches what workers left in the bucket of `store:`; undefined where there is none. */
export function bringingOf(
  { config, tools: { openStore }, log }: DeliveryParts,
  store: BuildStore,
  instance: string,
): Bring | undefined {
  const bucket = config.store;
  if (bucket === undefined) return undefined;
  return createBringing({ dataDir: config.dataDir, instance, store, log, open: () => openStore(bucket) });
}

/** Fetches before it reads. */
export function bringingResults(kept: Results, bring: Bring | undefined): Results {
  if (bring === undefined) return kept;
  return {
    async *tests(number) {
      await bring(number, "results");
      yield* kept.tests(number);
    },
    async coverage(number) {
      await bring(number, "results");
      return kept.coverage(number);
    },
  };
}

/** How a worker's files come to the bot, as far as that is configured. */
export function depotOf({ config, tools: { openStore }, say }: DeliveryParts): Depot | undefined {
  const { store, workerToken, url } = config;
  if (store !== undefined) {
    return bucketDepot(`s3://${store.bucket}`, () => openStore(store));
  }
  if (workerToken !== undefined) return httpDepot(url, workerToken);
  say("warning: worker_token: and store: are missing, so logs and artifacts of builds stay on this machine");
  return undefined;
}
