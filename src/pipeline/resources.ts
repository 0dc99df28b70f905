/** What a step that failed had used of its limits, and how its worker's machine was then (O-162). */
import { cpus, freemem, loadavg, totalmem } from "node:os";
import { z } from "zod";
import type { ContainerLimits } from "../runtime.ts";
import { formatBytes, formatDuration } from "../units.ts";

const bytes = z.number().int().nonnegative();

export const StepResources = z.strictObject({
  /** Of a `run:` step, as seen when it was last looked at; missing where it was over before. */
  container: z
    .strictObject({
      /** The most at any look. */
      memoryPeakBytes: bytes,
      memoryLimitBytes: bytes,
      cpuMs: z.number().nonnegative(),
      /** How many it may use at a time. */
      cpuLimit: z.number().positive(),
    })
    .optional(),
  /** The machine on which docker-ci ran; the engine may be on another. */
  worker: z.strictObject({
    /** Of the last minute, as `uptime` has it. */
    load: z.number().nonnegative(),
    cpus: z.number().int().nonnegative(),
    memoryFreeBytes: bytes,
    memoryBytes: bytes,
  }),
});
export type StepResources = z.infer<typeof StepResources>;

export type PeakUsage = Pick<NonNullable<StepResources["container"]>, "memoryPeakBytes" | "cpuMs">;

/** Now, on this machine. @param usage undefined where there is no container, or it was never looked at. */
export function resourcesNow(
  usage: PeakUsage | undefined,
  limits: Pick<ContainerLimits, "memoryBytes" | "cpus">,
): StepResources {
  const [load = 0] = loadavg();
  return {
    ...(usage === undefined
      ? {}
      : { container: { ...usage, memoryLimitBytes: limits.memoryBytes, cpuLimit: limits.cpus } }),
    worker: {
      load: Math.round(load * 100) / 100,
      cpus: cpus().length,
      memoryFreeBytes: freemem(),
      memoryBytes: totalmem(),
    },
  };
}

/** `container: memory up to 1.2 GiB of 4 GiB, CPU time 45s (limit 2 CPUs); worker: load 3.2 on 2 CPUs, memory 512 MiB of 4 GiB free` */
export function resourceWords({ container, worker }: StepResources): string {
  const used =
    container === undefined
      ? ""
      : `container: memory up to ${formatBytes(container.memoryPeakBytes)} of ${formatBytes(container.memoryLimitBytes)}, ` +
        `CPU time ${formatDuration(container.cpuMs)} (limit ${cpuWords(container.cpuLimit)}); `;
  const free = `memory ${formatBytes(worker.memoryFreeBytes)} of ${formatBytes(worker.memoryBytes)} free`;
  return `${used}worker: load ${worker.load.toFixed(1)} on ${cpuWords(worker.cpus)}, ${free}`;
}

function cpuWords(count: number): string {
  return `${count} ${count === 1 ? "CPU" : "CPUs"}`;
}
