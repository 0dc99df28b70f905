/** apt and dpkg. */
import type { Rule } from "../rule.ts";

/** Without a terminal apt leaves the line of its progress open: `Reading state information...E: Unable to locate package tree`. */
const error = (text: string): RegExp => new RegExp(`(?:^|\\.\\.\\.\\s?)(?<said>E: ${text}.*)`);

export const apt: readonly Rule[] = [
  {
    name: "apt: no such package or version",
    kind: "dependencies",
    pattern: error(
      "(?:Unable to locate package|Couldn't find any package|Version '.+' for '.+' was not found|Package '.+' has no installation candidate)",
    ),
    weight: 89,
  },
  {
    name: "apt: what a package needs is not there",
    kind: "dependencies",
    pattern: /^\s*\S+ : (?:Pre)?Depends: .+ but /,
    weight: 88,
  },
  {
    name: "apt: a mirror cannot be reached",
    kind: "network",
    pattern:
      /^(?:E: Failed to fetch |W: Failed to fetch ).*(?:Temporary failure|Could not (?:resolve|connect)|Connection (?:timed out|failed|refused)|Unable to connect)/,
    weight: 90,
  },
  { name: "apt: a file is gone", kind: "dependencies", pattern: error("Failed to fetch "), weight: 88 },
  { name: "apt: a repository", kind: "dependencies", pattern: error("The repository .+"), weight: 88 },
  {
    name: "apt: a signature or a checksum",
    kind: "dependencies",
    pattern: /^[EW]: GPG error: |Hash Sum mismatch/,
    weight: 84,
  },
  { name: "apt: no room", kind: "disk", pattern: error("You don't have enough free space"), weight: 93 },
  { name: "dpkg", kind: "dependencies", pattern: /^dpkg: error /, weight: 66, before: 2, after: 1 },
  { name: "apt: any error", kind: "dependencies", pattern: /^E: /, weight: 64 },
];
