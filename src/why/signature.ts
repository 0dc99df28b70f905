/** What makes two failures the same one. */
import { createHash } from "node:crypto";
import type { Explanation } from "../results/summary.ts";
import { type TestName, testKey } from "../results/test-case.ts";

const SIGNATURE_LENGTH = 12;

/** What changes from one run to the next without being another failure, each with what stands in its place. */
const PASSING: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, "#"],
  // Temporary folders with the random part behind them: /tmp/go-build123/b001, /var/folders/…
  [/\/(?:tmp|var\/folders|var\/tmp|dev\/shm|private\/tmp)\/[^\s:'")\]]+/g, "/tmp/#"],
  [/\b0x[0-9a-f]+\b/gi, "#"],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b/gi, "#"],
  [/\b(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b(?=[ ,.]*[\d#])/gi, "#"],
  // Times, addresses, ports, durations, sizes and counts are all digits in the end.
  [/\d+(?:[.,:T/-]\d+)*\s?(?:ns|µs|us|ms|seconds?|minutes?|secs?|mins?|s|m|h|[kmgt]i?b)?\b/gi, "#"],
  [/\d+/g, "#"],
  [/#(?:[\s.,:-]*#)+/g, "#"],
  [/\s+/g, " "],
];

export function normalised(text: string): string {
  return PASSING.reduce((given, [pattern, replacement]) => given.replace(pattern, replacement), text).trim();
}

/** Twelve hexadecimal digits: the same for failures that differ only in what comes and goes. */
export function signatureOf(
  { kind, step, line }: Pick<Explanation, "kind" | "step" | "line">,
  failing: readonly TestName[],
): string {
  const tests = failing.map((test) => testKey(test)).sort();
  return createHash("sha256")
    .update(JSON.stringify([kind, step ?? "", normalised(line), tests]))
    .digest("hex")
    .slice(0, SIGNATURE_LENGTH);
}
