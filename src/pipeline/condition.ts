/** `when:` — whether a step has a part in this build, and the sentence that says why not. */
import type { BuildEvent } from "./build-event.ts";
import type { StepCondition } from "./schema.ts";

/** More patterns than these are not told one by one. */
const PATTERNS_TOLD = 3;

export interface Occasion {
  /** `undefined` for a tag or a bare commit: a condition on the branch does not hold then. */
  readonly branch: string | undefined;
  readonly event: BuildEvent;
}

/** Why the step is left out, such as `only on branch main`; `undefined` when it is not. */
export function whyLeftOut(when: StepCondition | undefined, { branch, event }: Occasion): string | undefined {
  if (when === undefined) return undefined;
  const unmet = conditionText({
    branches:
      branch !== undefined && when.branches?.some((pattern) => matchesPattern(branch, pattern)) === true
        ? undefined
        : when.branches,
    events: when.events?.includes(event) === true ? undefined : when.events,
  });
  return unmet === "" ? undefined : unmet;
}

/** `only on branch main and for push, tag`; "" when there is no condition. */
export function conditionText({ branches, events }: StepCondition): string {
  const told = branches?.slice(0, PATTERNS_TOLD).join(", ");
  const more = (branches?.length ?? 0) > PATTERNS_TOLD ? ", …" : "";
  const parts = [
    ...(branches === undefined ? [] : [`on branch${branches.length === 1 ? "" : "es"} ${told}${more}`]),
    ...(events === undefined ? [] : [`for ${events.join(", ")}`]),
  ];
  return parts.length === 0 ? "" : `only ${parts.join(" and ")}`;
}

/** `*` stands for any number of characters, slashes too. Takes one walk over the name, whatever the pattern. */
export function matchesPattern(name: string, pattern: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const part of parts) {
    const at = name.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}
