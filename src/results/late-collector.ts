/** The collector, loaded with the first step that ends: with the readers of reports it is a good part of what a start would load. */
import type { CollectorOptions } from "./collect.ts";
import type { CollectFindings } from "./findings.ts";

/** As `createCollector` (collect.ts). */
export function createLateCollector(options: CollectorOptions): CollectFindings {
  let loaded: Promise<CollectFindings> | undefined;
  return async (planned, container, tries, signal) => {
    loaded ??= import("./collect.ts").then(({ createCollector }) => createCollector(options));
    return (await loaded)(planned, container, tries, signal);
  };
}
