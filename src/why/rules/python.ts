/** Python: pytest, unittest, tracebacks, pip. */
import type { Rule } from "../rule.ts";

export const python: readonly Rule[] = [
  {
    name: "pytest: a failing test",
    kind: "tests",
    pattern: /^_{3,} (?<subject>\S.*?) _{3,}$/,
    weight: 91,
    said: { pattern: /^E\s+(?<said>\S.*)/, within: 400, until: /^(?:_{3,} |={3,} )/ },
    details: { pattern: /^E\s+(?<said>assert .+)/, within: 3, most: 1 },
  },
  {
    name: "pytest: the summary",
    kind: "tests",
    pattern: /^(?:FAILED|ERROR) (?<subject>\S+?)(?: - (?<said>.+))?$/,
    weight: 84,
  },
  { name: "pytest: what is wrong", kind: "tests", pattern: /^E {3}(?<said>\s*\S.*)/, weight: 83 },
  {
    name: "unittest: a failing test",
    kind: "tests",
    pattern: /^(?:FAIL|ERROR): (?<subject>\w+) \(.+\)/,
    weight: 91,
    said: { pattern: /^(?<said>[A-Za-z_][\w.]*(?:Error|Exception|Failure)\b.*)/, within: 80, until: /^={10,}$/ },
  },
  {
    name: "python: a module is missing",
    kind: "dependencies",
    pattern: /^(?:ModuleNotFoundError|ImportError): .+/,
    weight: 88,
    before: 2,
  },
  {
    name: "python: a traceback",
    kind: "command",
    pattern: /^\s*Traceback \(most recent call last\):/,
    weight: 85,
    said: { pattern: /^(?<said>[A-Za-z_][\w.]*(?::.*)?)$/, within: 200 },
    before: 2,
  },
  {
    name: "pip: no such version",
    kind: "dependencies",
    pattern:
      /^\s*ERROR: (?:Could not find a version|No matching distribution|ResolutionImpossible|Cannot install|Invalid requirement|Could not open requirements)/,
    weight: 88,
  },
  {
    name: "pip: its index cannot be reached",
    kind: "network",
    pattern:
      /^\s*WARNING: Retrying .*?(?<said>(?:Failed to establish a new connection|Connection to \S+ timed out|Read timed out).*?)['"]?\)['"]: /,
    weight: 90,
  },
  { name: "pip: a wheel", kind: "dependencies", pattern: /^\s*ERROR: Failed (?:building|to build)/, weight: 70 },
];
