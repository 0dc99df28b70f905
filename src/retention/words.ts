/** What clearing up came to, in words. */
import { formatBytes, formatCount } from "../units.ts";
import type { Pruned } from "./prune.ts";

/** `removed 12 builds, 3 logs · 1.2 GB` or `would remove …`; says when there is nothing. */
export function prunedFacts(pruned: Pruned, dryRun: boolean): string[] {
  const { builds, parts, bytes, orphans, engine, kept } = pruned;
  const total = Object.values(bytes).reduce((sum, each) => sum + each, 0);
  const things = [
    counted(builds, "build"),
    counted(parts.log, "log"),
    counted(parts.artifacts, "set of artifacts", "sets of artifacts"),
    counted(parts.coverage, "coverage report"),
    counted(orphans, "file of no build", "files of no build"),
    counted(engine.images.length, "image"),
    counted(engine.volumes.length, "cache"),
  ].filter((thing) => thing !== undefined);
  const keeps = kept === 0 ? [] : [`${formatCount(kept)} kept beyond their time, as something needs them`];
  if (things.length === 0) return [`nothing ${dryRun ? "would go" : "to remove"}`, ...keeps];
  return [
    `${dryRun ? "would remove" : "removed"} ${things.join(", ")}`,
    ...(total === 0 ? [] : [`${formatBytes(total)} of the data folder`]),
    ...keeps,
  ];
}

function counted(count: number, one: string, many = `${one}s`): string | undefined {
  return count === 0 ? undefined : `${formatCount(count)} ${count === 1 ? one : many}`;
}
