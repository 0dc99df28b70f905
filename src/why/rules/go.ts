/** Go: tests, the compiler, vet, panics, the race detector, modules. */
import type { Rule } from "../rule.ts";

export const go: readonly Rule[] = [
  {
    name: "go: a failing test",
    kind: "tests",
    pattern: /^\s*--- FAIL: (?<subject>\S+)/,
    weight: 90,
    said: {
      // A panic ends the output of its test, and takes the place of what the test would have said.
      pattern: /^(?:\s+(?=\S+\.go:\d+: )|(?=panic: ))(?<said>\S.*)/,
      within: 60,
      until: /^\s*(?:--- |=== (?:RUN|CONT)|FAIL\b|ok\s|\?\s)/,
      preferred: /^panic: |expect|want|got\b|unexpected|mismatch|differ|error|fail|cannot|[!=]=|\bnot\b|should/i,
      under: /^=== (?:RUN|CONT|NAME)\s+(?<subject>\S+)/,
    },
  },
  {
    name: "go: testify",
    kind: "tests",
    pattern: /^\s+Error Trace:\s/,
    weight: 92,
    said: { pattern: /^\s+Error:\s+(?<said>\S.*)/, within: 6 },
    details: { pattern: /^\s+(?<said>(?:expected|actual)\s*: .+)/, within: 4, most: 2 },
  },
  {
    name: "go: a test's own time limit",
    kind: "tests",
    pattern: /^(?<said>panic: test timed out after .+)/,
    weight: 93,
    details: { pattern: /^\s+(?<said>Test\S+ \(.+\))$/, within: 3, most: 1 },
  },
  { name: "go: a panic", kind: "tests", pattern: /^panic: (?!test timed out)/, weight: 89, after: 3 },
  {
    name: "go: the runtime gives up",
    kind: "tests",
    pattern: /^fatal error: (?:all goroutines|concurrent map)/,
    weight: 91,
  },
  {
    name: "go: a data race",
    kind: "tests",
    pattern: /^(?<said>WARNING: DATA RACE)/,
    weight: 92,
    details: { pattern: /^\s+(?<said>\/?\S+\.go:\d+)/, within: 5, most: 1 },
    after: 4,
  },
  {
    name: "go: no such package",
    kind: "dependencies",
    pattern: /\.go:\d+:\d+: (?:no required module provides|cannot find (?:package|module)|package \S+ is not in)/,
    weight: 89,
  },
  {
    name: "go: modules",
    kind: "dependencies",
    pattern:
      /^go: .*(?:missing go\.sum|unknown revision|verifying|updates to go\.mod|not in GOROOT|malformed|invalid version|no matching versions)/,
    weight: 88,
  },
  {
    name: "go: the compiler or vet",
    kind: "build",
    pattern: /^(?:vet: )?\S+\.go:\d+:\d+: (?!warning)/,
    weight: 87,
    after: 2,
  },
  {
    name: "go: the go command",
    kind: "build",
    pattern: /^go: (?!downloading|finding|added|upgraded|found)/,
    weight: 60,
  },
];
