/** An explanation in words, for the lines that people read. */
import type { Explanation } from "../results/summary.ts";
import { shortened } from "./text.ts";

const WORDS_LENGTH = 120;
/** A host in what tools say about one that they cannot reach; most of them put it behind the words. */
const HOSTS: readonly RegExp[] = [
  /[Cc]ould not resolve (?:host(?:name)?:? |proxy: )?'?([\w.-]+)/,
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
  /(?:resolving|lookup|look up) '?([\w.-]+)/,
  /Failed to connect to ([\w.:[\]-]+)/,
  /(?:connect|dial tcp) (?:[A-Z]+ )?([\w.-]+:\d+)/,
  /https?:\/\/([\w.-]+)/,
  /host='([\w.-]+)'/,
  /image ([\w.-]+\.[\w-]+(?::\d+)?)\//,
];

/** The first failing test or line in a few words, for the one line that says how a build ended. */
export function failureWords({ line }: Pick<Explanation, "line">): string {
  return shortened(line, WORDS_LENGTH);
}

/** The whole of it, with the kind of trouble where it is not what was tested: `not your change: registry.example cannot be reached`. */
export function explanationWords({ kind, line }: Pick<Explanation, "kind" | "line">): string {
  switch (kind) {
    case "network":
      return networkWords(line);
    case "registry":
      return `${BLAMELESS}: ${line}`;
    case "disk":
      return /no space left|disk/i.test(line) ? line : `no space left: ${line}`;
    case "memory":
      return /out of memory/.test(line) ? line : `ran out of memory: ${line}`;
    case "tests":
    case "build":
    case "command":
    case "time":
    case "dependencies":
    case "git":
      return line;
    default:
      return kind satisfies never;
  }
}

/** A step may name a host that is not there because the change says so. */
const BLAMELESS = "probably not your change";

function networkWords(line: string): string {
  const host = hostIn(line);
  if (host === undefined) return `${BLAMELESS}: ${line}`;
  if (/^(?:127\.|localhost|\[?::1|0\.0\.0\.0)/.test(host)) return `nothing answers at ${host}: ${line}`;
  return `${BLAMELESS}: ${host} cannot be reached`;
}

function hostIn(line: string): string | undefined {
  for (const pattern of HOSTS) {
    const host = pattern.exec(line)?.[1];
    if (host !== undefined) return host;
  }
  return undefined;
}
