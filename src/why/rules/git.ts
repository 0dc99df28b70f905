/** git. */
import type { Rule } from "../rule.ts";

export const git: readonly Rule[] = [
  { name: "git: a conflict", kind: "git", pattern: /^CONFLICT \(/, weight: 91 },
  {
    name: "git: a server cannot be reached",
    kind: "network",
    pattern:
      /^fatal: (?:unable to access|unable to connect|unable to look up).*(?:Could not resolve|Failed to connect|timed out|refused|unable to look up|Connection|SSL)|^ssh: (?:Could not resolve|connect to host)/,
    weight: 90,
  },
  {
    name: "git: a repository or name is not there, or closed",
    kind: "git",
    pattern:
      /^(?:fatal|error|remote|ERROR): .*(?:[Rr]epository .*(?:not found|does not exist)|Remote branch|couldn't find remote ref|pathspec|could not read Username|Authentication failed|refusing to merge|not a git repository|bad (?:object|revision)|ambiguous argument|Needed a single revision)/,
    weight: 88,
  },
  {
    name: "git: a commit does not apply",
    kind: "git",
    pattern: /^error: (?:could not apply|patch failed|.*: patch does not apply|Your local changes)/,
    weight: 87,
  },
  {
    name: "git: a key",
    kind: "git",
    pattern: /Permission denied \(publickey|Host key verification failed/,
    weight: 88,
  },
  { name: "git: pushed too late", kind: "git", pattern: /^ ! \[(?:remote )?rejected\]/, weight: 88 },
  { name: "git: any end", kind: "git", pattern: /^fatal: /, weight: 76 },
];
