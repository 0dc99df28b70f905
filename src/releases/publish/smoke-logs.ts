/** Where the logs of smoke tests lie, by the numbers of their releases. */
import { join } from "node:path";
import type { Config } from "../../config.ts";

export function smokeLogs({ dataDir }: Pick<Config, "dataDir">): string {
  return join(dataDir, "docker-ci", "release-logs");
}
