/** npm's `npm error` lines (`npm ERR!` before npm 10): the telling one of them. yarn and pnpm beside it. */
import type { Rule } from "../rule.ts";

const line = (text: string): RegExp => new RegExp(`^npm (?:error|ERR!) ${text}`);

export const npm: readonly Rule[] = [
  {
    name: "npm: no such package",
    kind: "dependencies",
    pattern: line(String.raw`404\s+(?:'.+' is not in|The requested resource )`),
    weight: 89,
    before: 1,
  },
  { name: "npm: no such version", kind: "dependencies", pattern: line("notarget No matching version"), weight: 89 },
  { name: "npm: versions that do not fit", kind: "dependencies", pattern: line("ERESOLVE "), weight: 89, after: 4 },
  {
    name: "npm: package.json and its lock differ",
    kind: "dependencies",
    pattern: line(".*(?:can only install packages (?:when|with)|are not in sync)"),
    weight: 89,
    after: 3,
  },
  {
    name: "npm: no such script",
    kind: "command",
    pattern: line("(?:Missing script:|missing script)"),
    weight: 89,
  },
  {
    name: "npm: package.json is broken",
    kind: "dependencies",
    pattern: line(String.raw`.*(?:JSON\.parse |Failed to parse)`),
    weight: 88,
  },
  {
    name: "npm: another node",
    kind: "dependencies",
    pattern: line("(?:engine|notsup) (?:Not compatible|Unsupported)"),
    weight: 88,
    after: 2,
  },
  {
    name: "npm: what a package's own script said",
    kind: "dependencies",
    pattern: line(String.raw`(?<said>\w*Error(?: \[\w+\])?: .+|.*: (?:fatal )?error: .+)`),
    weight: 82,
  },
  { name: "npm: a checksum", kind: "dependencies", pattern: line("code EINTEGRITY"), weight: 80, after: 2 },
  {
    name: "npm: by its code",
    kind: "dependencies",
    pattern: line(String.raw`code (?<subject>E(?!LIFECYCLE)\w+)`),
    weight: 75,
    said: {
      pattern: line(String.raw`(?<said>(?!errno |syscall |path |code |cwd |command |A complete log)\S.+)`),
      within: 8,
    },
  },
  { name: "npm: a script of a package", kind: "dependencies", pattern: line("command "), weight: 40, before: 2 },
  {
    name: "yarn and pnpm",
    kind: "dependencies",
    pattern: /^(?:error (?:An unexpected|Couldn't find|No such)|\s*ERR_PNPM_|➤ YN\d+: .*✘)/,
    weight: 84,
    after: 2,
  },
];
