/** `/metrics`: what is counted while the process runs, and what is so at the moment, in one text for Prometheus. */
import { collectDefaultMetrics } from "prom-client";
import type { Meters } from "./meters.ts";
import { type PresentSources, presentGauges } from "./present.ts";

/** Gauges of prom-client with the ending of a counter, which `promtool` complains of; the same stand beside them by type. */
const MISNAMED = ["handles", "requests", "resources"].map((what) => `nodejs_active_${what}_total`);

export interface Metrics {
  readonly contentType: string;
  /** The whole text, as it is now. */
  text(): Promise<string>;
}

/** Adds the process's own numbers (memory, CPU, event loop), so it is called once for a registry. */
export function createMetrics({ registry }: Pick<Meters, "registry">, sources: PresentSources): Metrics {
  const refresh = presentGauges(registry, sources);
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return {
    contentType: registry.contentType,
    async text() {
      await refresh();
      return registry.metrics();
    },
  };
}
