/** What is said of workspaces that were kept. */
import type { KeptWorkspaces } from "../results/summary.ts";
import { formatAge } from "../units.ts";
import type { Build } from "./build.ts";

/** Sentences for the log of the build and for whoever asked: `tests is kept for 2h00m on big-1, to be entered there: docker run …`. */
export function keptWords({ keepMs, ranOn }: Build, kept: KeptWorkspaces | undefined): string[] {
  if (kept === undefined || keepMs === undefined) return [];
  const { steps, problem } = kept;
  const how = `kept for ${formatAge(keepMs)} on ${ranOn?.worker ?? "its worker"}, to be entered there`;
  return [
    ...steps.map(({ step, command }) => `${step} is ${how}: ${command}`),
    ...(problem === undefined ? [] : [`${steps.length === 0 ? "nothing" : "not everything"} is kept: ${problem}`]),
  ];
}
