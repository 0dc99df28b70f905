/** What happens by the clock, or because somebody pushed: nights, reports, backups, looks at repositories, at workers, at releases. */
import { startFilling } from "../builds/fill-history.ts";
import type { Opened } from "../lifecycle.ts";
import { watchForMissing } from "../queue/missing-workers.ts";
import { startPoller } from "../triggers/poller.ts";
import type { StartOptions } from "./options.ts";
import type { OpenedRecords } from "./records.ts";
import type { Services } from "./services.ts";

export async function startClockwork(
  options: StartOptions,
  records: OpenedRecords,
  { triggers, releases, backups }: Services,
  opened: Opened,
): Promise<void> {
  const { config, forgeApis } = options;
  const { builds, store, subscriptions, redis, revisions, clock, log, ledger, workers } = records;
  const timed = { config, builds, subscriptions, redis, clock, log };
  if (config.report !== undefined && config.mail !== undefined) {
    const report = { ...timed, incidents: () => ledger.open(), report: config.report };
    opened.add("report", options.startReport(report));
  }
  opened.add("nightlies", options.startNightlies({ ...timed, revisions, workers }));
  if (revisions !== undefined) {
    opened.add("poller", startPoller({ ...timed, revisions, forgeApis, see: triggers.see }));
  }
  await releases.begin(opened);
  if (backups !== undefined) {
    opened.add("backups", options.startBackups({ ...timed, ...backups, backup: config.backup }));
  }
  opened.add("history", startFilling(redis, store, log));
  opened.add("missing workers", watchForMissing({ config, redis, clock, log }));
}
