/** How far a running build has come, as a bar and in words. */
import type { Build } from "../builds/build.ts";
import { type ExpectedTimes, progressPhrase } from "../builds/expected.ts";
import { formatDuration } from "../units.ts";

/** A build that takes longer than it used to stands at this, not at its end. */
const BAR_MAX = 98;

/** `step 2 of 3, tests`; `fetching` before the pipeline is known. "" for a build that does not run. */
export function stepWords({ state }: Pick<Build, "state">): string {
  if (state.kind !== "running") return "";
  return state.step === undefined ? "fetching" : `step ${state.step.index} of ${state.step.count}, ${state.step.name}`;
}

/** Nothing for a build that does not run; without a bar where no earlier build tells the time. */
export const Progress = (props: { build: Build; expected: ExpectedTimes | undefined; now: Date }) => {
  const { build, expected, now } = props;
  if (build.state.kind !== "running") return null;
  const elapsedMs = Math.max(0, now.getTime() - Date.parse(build.state.startedAt));
  // Whole seconds: tenths would flicker where the page is looked at again and again.
  const elapsed = formatDuration(Math.floor(elapsedMs / 1_000) * 1_000).replace(/\.0s$/, "s");
  const words = `${elapsed}${progressPhrase(elapsedMs, expected)}`;
  if (expected === undefined) return <span class="progress">{words}</span>;
  const percent = Math.round(Math.min(BAR_MAX, (elapsedMs / Math.max(1, expected.medianMs)) * 100));
  return (
    <span class="progress">
      <progress max={100} value={percent} aria-label={`${build.project} #${build.number}`} />
      <span>{words}</span>
    </span>
  );
};
