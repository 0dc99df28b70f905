/** `retention:` — how long what builds leave behind is kept. */
import { count, duration, section, size } from "./scalars.ts";

/** How long things are kept, how many builds, and how much of the disk stays free. */
export interface Retention {
  readonly builds: number;
  readonly logsMs: number;
  readonly artifactsMs: number;
  readonly coverageMs: number;
  /** Of images and of what the builder keeps. */
  readonly imagesMs: number;
  /** Of volumes that hold what builds keep for later ones. */
  readonly cachesMs: number;
  /** Below it no build begins. */
  readonly freeBytes: number;
}

const MIB = 1024 ** 2;

export const retention = section({
  builds: count(1, Number.MAX_SAFE_INTEGER).default(10_000),
  logs: duration.prefault("90d"),
  artifacts: duration.prefault("30d"),
  coverage: duration.prefault("90d"),
  images: duration.prefault("7d"),
  caches: duration.prefault("30d"),
  free: size(16 * MIB, "a size such as 512m or 2g, at least 16m").prefault("1g"),
}).transform(
  (written): Retention => ({
    builds: written.builds,
    logsMs: written.logs,
    artifactsMs: written.artifacts,
    coverageMs: written.coverage,
    imagesMs: written.images,
    cachesMs: written.caches,
    freeBytes: written.free,
  }),
);
