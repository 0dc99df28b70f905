/** Volumes of a container as applications write them: `/home/data:/data`, `/data`, `cache:/cache`, each with `:ro` (O-154). */

export const VOLUME_EXAMPLES =
  'a volume such as "/home/data:/data", "/data", "cache:/cache" or "/etc/ssl:/etc/ssl:ro" (host:container, both absolute; or a volume\'s name)';

export interface Volume {
  /** A folder of the host's when it begins with a slash, else a volume's name; `undefined`: a volume without a name. */
  readonly source: string | undefined;
  /** Absolute. */
  readonly target: string;
  readonly readOnly: boolean;
}

const PATH = /^\/[^:\0]*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]+$/;

/** `undefined` when it is none. A relative folder is none: the hosts know nothing of where `dcr` was started. */
export function parseVolume(text: string): Volume | undefined {
  const parts = text.trim().split(":");
  const mode = parts.length > 1 && /^r[ow]$/.test(parts.at(-1) ?? "") ? parts.pop() : "rw";
  const target = parts.pop() ?? "";
  const source = parts.pop();
  const isKnown = source === undefined || PATH.test(source) || NAME.test(source);
  if (parts.length > 0 || !isKnown || !PATH.test(target) || target === "/") return undefined;
  return {
    source: source === undefined ? undefined : trimmed(source),
    target: trimmed(target),
    readOnly: mode === "ro",
  };
}

/** `/data/` and `/data` are one folder. */
function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
}
