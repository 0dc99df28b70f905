/** All that is known of the tools; a tool that is missing is one new file and one line here. */
import type { Rule } from "../rule.ts";
import { apt } from "./apt.ts";
import { compilers } from "./compilers.ts";
import { docker } from "./docker.ts";
import { git } from "./git.ts";
import { go } from "./go.ts";
import { machinery } from "./machinery.ts";
import { node } from "./node.ts";
import { npm } from "./npm.ts";
import { python } from "./python.ts";
import { shell } from "./shell.ts";

export const RULES: readonly Rule[] = [
  ...machinery,
  ...go,
  ...node,
  ...python,
  ...compilers,
  ...npm,
  ...apt,
  ...git,
  ...docker,
  ...shell,
];
