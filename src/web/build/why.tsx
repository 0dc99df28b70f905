/** Why a build did not pass: the line that says so with those around it, where it was seen before, and who may have done it. */
import { type Build, isFinished } from "../../builds/build.ts";
import { SHORT_SHA, shortTitle } from "../../builds/describe.ts";
import type { Incident } from "../../incidents/incident.ts";
import type { Explanation } from "../../results/summary.ts";
import { sameFailure, sameFailureWords } from "../../why/same-failure.ts";
import { suspectsFirst } from "../../why/suspects.ts";
import { explanationWords } from "../../why/words.ts";
import { logViewLink } from "./log-page.tsx";

const SUSPECTS_SHOWN = 10;

export interface WhyProps {
  readonly build: Build;
  readonly explanation: Explanation | undefined;
  /** Of the same project, for failures like this one. */
  readonly history: readonly Build[];
  readonly incident: Incident | undefined;
}

export const Why = ({ build, explanation, history, incident }: WhyProps) => {
  if (!isFinished(build) || explanation === undefined) return null;
  const { excerpt, line, logLine } = explanation;
  const said = build.state.kind === "errored" ? line : explanationWords(explanation);
  const before = sameFailureWords(sameFailure(explanation, history, build.number));
  const isSaid = excerpt.every((text) => said.includes(text.trim()));
  // The reason above says it already.
  const isKnown = isSaid && logLine === undefined && "reason" in build.state && build.state.reason?.includes(said);
  if (isKnown === true && before === "" && incident === undefined) return null;
  return (
    <section class="why" aria-labelledby="why">
      <h2 id="why">Why</h2>
      <p class="said">
        {said}
        {logLine === undefined ? null : (
          <>
            {" "}
            <a class="whole" href={logViewLink(build.number, logLine)} data-line={logLine}>
              line {logLine}
            </a>
          </>
        )}
      </p>
      {isSaid ? null : (
        <pre class="excerpt" tabindex={0}>
          {excerpt.join("\n")}
        </pre>
      )}
      {before === "" ? null : <p>{before}</p>}
      {build.state.kind === "errored" ? <p>Not your change.</p> : null}
      <Suspects build={build} incident={incident} explanation={explanation} />
    </section>
  );
};

interface SuspectsProps {
  readonly build: Build;
  readonly incident: Incident | undefined;
  readonly explanation: Explanation;
}

const Suspects = ({ build, incident, explanation }: SuspectsProps) => {
  if (incident === undefined) return null;
  const { lastGood, suspects, claimedBy, firstBad } = incident;
  const ranked = suspectsFirst(suspects, explanation.files).slice(0, SUSPECTS_SHOWN);
  return (
    <>
      <h3>Suspects</h3>
      <p>
        {lastGood === undefined ? (
          build.number === firstBad.number ? (
            "The first build of this branch. "
          ) : (
            <>
              The branch is broken since its first build, <a href={`/builds/${firstBad.number}`}>#{firstBad.number}</a>.{" "}
            </>
          )
        ) : (
          <>
            It was good at <a href={`/builds/${lastGood.number}`}>#{lastGood.number}</a>, and is broken since{" "}
            <a href={`/builds/${firstBad.number}`}>#{firstBad.number}</a>.{" "}
          </>
        )}
        {claimedBy === undefined ? null : `${claimedBy} has it.`}
      </p>
      {ranked.length === 0 ? null : (
        <ul class="plain">
          {ranked.map(({ suspect, touched }) => (
            <li>
              {suspect.author} <code>{suspect.sha.slice(0, SHORT_SHA)}</code> "{shortTitle(suspect.title)}"
              {touched === undefined ? null : (
                <>
                  {" "}
                  touched <code>{touched}</code>
                </>
              )}
            </li>
          ))}
          {suspects.length > ranked.length ? <li>and {suspects.length - ranked.length} more</li> : null}
        </ul>
      )}
    </>
  );
};
