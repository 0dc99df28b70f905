/** Shells, the usual small tools, and what programs say that follow no custom but the word "error". */
import type { Rule } from "../rule.ts";

export const shell: readonly Rule[] = [
  { name: "shell: no such command", kind: "command", pattern: /\bnot found$|: command not found/, weight: 84 },
  {
    name: "shell: the script cannot be read",
    kind: "command",
    pattern: /: [Ss]yntax error\b|unexpected EOF while looking|unexpected end of file/,
    weight: 86,
  },
  {
    name: "shell: a variable without a value",
    kind: "command",
    pattern: /unbound variable$|parameter not set|bad substitution/i,
    weight: 86,
  },
  {
    name: "a program crashed",
    kind: "command",
    pattern: /Segmentation fault|Bus error|Illegal instruction|Aborted \(core dumped\)|core dumped/,
    weight: 82,
    before: 2,
  },
  {
    name: "something is not executable, or closed",
    kind: "command",
    pattern: /^\S.*: Permission denied$|EACCES: permission denied/,
    weight: 78,
  },
  {
    name: "a file is not there",
    kind: "command",
    pattern: /: No such file or directory$|ENOENT: no such file/,
    weight: 76,
  },
  { name: "curl: the server says no", kind: "command", pattern: /^curl: \(\d+\) /, weight: 80 },
  {
    name: "a word of failure at the beginning",
    kind: "tests",
    pattern: /^(?:FAIL(?:ED|URE)?|not ok|✗|✘|✖|×)(?::|\s).*\w/,
    weight: 66,
  },
  {
    name: "an error of a program by name",
    kind: "command",
    pattern: /^[\w./+-]{1,80}: (?:fatal |FATAL )?(?:error|Error|ERROR|fatal|FATAL)\b:? ?\S/,
    weight: 68,
  },
  {
    name: "an error at the beginning",
    kind: "command",
    pattern: /^\s*\[?(?:[Ff]atal(?: error)?|FATAL|[Ee]rror|ERROR|ERR!|CRITICAL)\]?(?:!|:|\s).*\w/,
    weight: 67,
  },
  { name: "an error somewhere", kind: "command", pattern: /\b(?:[Ee]rror|ERROR|[Ff]atal|FATAL)\b: ?\S/, weight: 60 },
  {
    name: "a difference",
    kind: "tests",
    pattern: /^@@ -\d+.* @@/,
    weight: 80,
    said: { pattern: /^(?<said>[-+].*)/, within: 8 },
    before: 2,
    after: 2,
  },
  {
    name: "words of failure",
    kind: "command",
    pattern: /\b(?:failed|failure|cannot|could not|unable to|refused|denied|invalid|missing|does not|do not)\b/i,
    weight: 30,
  },
];
