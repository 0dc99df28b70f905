/** Compilers of C and their like, linkers, make and CMake. */
import type { Rule } from "../rule.ts";

export const compilers: readonly Rule[] = [
  {
    name: "gcc, clang, javac: an error in a file",
    kind: "build",
    pattern: /^\S[^:]*:\d+(?::\d+)?: (?:fatal |internal compiler )?error: /i,
    weight: 88,
    after: 2,
  },
  {
    name: "rustc",
    kind: "build",
    pattern: /^error\[E\d+\]: /,
    weight: 88,
    after: 3,
  },
  {
    name: "ld: a name or library is missing",
    kind: "build",
    pattern: /undefined reference to|multiple definition of|cannot find -l|undefined symbol|Undefined symbols for/,
    weight: 86,
  },
  {
    name: "cmake",
    kind: "build",
    pattern: /^CMake Error at (?<subject>\S+)/,
    weight: 87,
    said: { pattern: /^\s+(?<said>\S.*)/, within: 3 },
    after: 3,
  },
  { name: "cmake: without a place", kind: "build", pattern: /^CMake Error: /, weight: 82 },
  {
    name: "make: it cannot go on by itself",
    kind: "build",
    pattern: /^(?:g?make(?:\[\d+\])?: |\S+:\d+: )\*\*\* (?!\[|.*(?:Error \d+|Waiting for))/,
    weight: 86,
  },
  {
    name: "make: a command is missing",
    kind: "build",
    pattern: /^g?make(?:\[\d+\])?: [^*].*: (?:No such file|Command not found|Permission denied)/,
    weight: 84,
  },
  {
    name: "a sanitizer",
    kind: "tests",
    pattern: /ERROR: \w+Sanitizer: |runtime error: .*undefined behavior|==\d+== (?:Invalid (?:read|write)|ERROR)/,
    weight: 91,
    after: 3,
  },
  { name: "an assertion of C", kind: "tests", pattern: /: Assertion [`'].+' failed\.?/, weight: 90 },
  { name: "C++ gives up", kind: "command", pattern: /^terminate called /, weight: 82, after: 2 },
];
