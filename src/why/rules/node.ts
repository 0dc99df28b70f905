/** Node: its test runners, uncaught errors, the TypeScript compiler, linters. */
import type { Rule } from "../rule.ts";

/** `TypeError: x`, `AssertionError [ERR_ASSERTION]: x`, `Error: x`. */
const ERROR = String.raw`(?:[A-Z]\w*)?(?:Error|Exception)\b(?: \[\w+\])?(?:: .*)?`;

export const node: readonly Rule[] = [
  {
    name: "node --test: TAP",
    kind: "tests",
    pattern: /^\s*not ok \d+ - (?<subject>.+?)(?: # .*)?$/,
    weight: 90,
    said: {
      pattern: /^\s+error: (?!'?(?:\d+ subtests? failed|test failed))(?:\|-?|['"]?(?<said>.+?)['"]?)\s*$/,
      within: 14,
      until: /^\s*(?:\.\.\.|(?:not )?ok \d+)/,
    },
    details: { pattern: /^\s+(?<said>(?:expected|actual): (?!\|).+)/, within: 8, most: 2 },
  },
  {
    name: "node --test: spec",
    kind: "tests",
    pattern: /^\s*✖ (?<subject>.+?) \([\d.]+ms\)/,
    weight: 90,
    said: { pattern: new RegExp(`^\\s+(?<said>${ERROR})`), within: 4, until: /^\s*[✖✔▶]/ },
  },
  {
    name: "jest: a failing test",
    kind: "tests",
    pattern: /^\s+● (?!Console|Validation|Deprecation)(?<subject>\S.*)/,
    weight: 90,
    said: { pattern: /^\s+(?<said>\S.*)/, within: 3 },
    details: { pattern: /^\s+(?<said>(?:Expected|Received)\b[^:]*: .+)/, within: 8, most: 2 },
    after: 4,
  },
  {
    name: "vitest: a failing test",
    kind: "tests",
    pattern: /^\s*FAIL\s+(?<subject>\S+ (?:>|\[) .+)/,
    weight: 90,
    said: { pattern: new RegExp(`^(?<said>(?:${ERROR}|Caused by: .+))`), within: 6 },
  },
  {
    name: "mocha: a failing test",
    kind: "tests",
    pattern: /^ {2}\d+\) (?<subject>\S.*?):?$/,
    weight: 90,
    said: { pattern: /^ {5,6}(?<said>\S.*)/, within: 8, joined: true },
  },
  {
    name: "node: a module is missing",
    kind: "dependencies",
    pattern: /^(?:# )?(?<said>Error(?: \[ERR_MODULE_NOT_FOUND\])?: Cannot find (?:module|package) .+)/,
    weight: 88,
  },
  {
    name: "javascript or python: a file that cannot be read",
    kind: "build",
    pattern: /^(?:# )?(?<said>(?:SyntaxError|IndentationError|TabError): .+)/,
    weight: 91,
    before: 3,
  },
  {
    name: "javascript or python: an uncaught error",
    kind: "command",
    pattern:
      /^(?:# |Uncaught |\[?UnhandledPromiseRejection\w*: )?(?<said>[A-Z]\w*(?:Error|Exception)\b(?: \[\w+\])?: .+)/,
    weight: 80,
    before: 3,
  },
  {
    name: "node: an uncaught plain error",
    kind: "command",
    pattern: /^(?:Uncaught )?Error: .+/,
    weight: 80,
    before: 3,
  },
  {
    name: "tsc",
    kind: "build",
    pattern: /^\S.*(?:\(\d+,\d+\): | ?:\d+:\d+ - )error TS\d+: /,
    weight: 88,
    after: 2,
  },
  { name: "tsc: the project", kind: "build", pattern: /^error TS\d+: /, weight: 88 },
  { name: "eslint", kind: "build", pattern: /^\s+\d+:\d+\s+error\s+(?<said>\S.*)/, weight: 82, before: 1 },
  {
    name: "bundlers",
    kind: "build",
    pattern: /^(?:✘ )?\[ERROR\] |^ERROR in |^Module not found: |^\[vite\]: |^RollupError: /,
    weight: 82,
  },
];
