/** What the Engine's figures on a container come to. */
import { z } from "zod";
import type { ContainerUsage } from "../../src/runtime.ts";

const Stats = z.object({
  memory_stats: z.object({
    usage: z.number(),
    /** On cgroup v1 the names that count what is below it too begin with `total_`. */
    stats: z.object({ total_inactive_file: z.number().optional(), inactive_file: z.number().optional() }),
  }),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
});

/** Undefined for a container that has ended: the Engine leaves its memory out. */
export function usageOf(stats: unknown): ContainerUsage | undefined {
  const { data } = Stats.safeParse(stats);
  if (data === undefined) return undefined;
  const { usage, stats: files } = data.memory_stats;
  return {
    memoryBytes: Math.max(0, usage - (files.total_inactive_file ?? files.inactive_file ?? 0)),
    cpuMs: Math.round(data.cpu_stats.cpu_usage.total_usage / 1e6),
  };
}
