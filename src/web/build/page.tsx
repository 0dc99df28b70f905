/** `/builds/:number`: one build as a page. */
import { type Build, isFinished, type StepResult } from "../../builds/build.ts";
import { quotedTitle, revisionName } from "../../builds/describe.ts";
import type { LogLine } from "../../builds/log-files.ts";
import { plainText } from "../../builds/plain-text.ts";
import { SIGNS } from "../../chat/reply.ts";
import { formatDuration } from "../../units.ts";
import { type Bar, buildTitle, Page, State, Time, took } from "../shell.tsx";

const Step = ({ step }: { step: StepResult }) => (
  <tr>
    <td>{step.name}</td>
    <td>
      <span class={`state ${step.state === "skipped" ? "cancelled" : step.state}`}>
        {step.state === "skipped" ? "○" : SIGNS[step.state]} {step.state}
      </span>
    </td>
    <td class="number">{step.state === "skipped" ? "" : formatDuration(step.durationMs)}</td>
    <td>
      {step.meaning ?? ""}
      {step.allowed === true ? " (allowed to fail)" : ""}
    </td>
  </tr>
);

const reason = (build: Build): string =>
  "reason" in build.state && build.state.reason !== undefined ? build.state.reason : "";

export const BuildPage = (props: { build: Build; tail: readonly LogLine[] | undefined; bar: Bar }) => {
  const { build, tail } = props;
  const { state } = build;
  return (
    <Page title={buildTitle(build)} bar={props.bar} tone={build.state.kind} live={!isFinished(build)}>
      <h1>
        {build.project} #{build.number} <State build={build} />
      </h1>
      {reason(build) === "" ? null : <p class="reason">{reason(build)}</p>}
      <dl>
        <dt>Revision</dt>
        <dd>
          <code>{revisionName(build)}</code>
          {quotedTitle(build.revision)}
          {build.revision === undefined ? "" : ` by ${build.revision.author}`}
        </dd>
        <dt>Asked by</dt>
        <dd>
          {build.requester.name} on {build.requester.network}, <Time at={build.requestedAt} />
        </dd>
        {state.kind === "running" ? (
          <>
            <dt>Now</dt>
            <dd>
              {state.step === undefined
                ? "fetching"
                : `step ${state.step.index} of ${state.step.count}, ${state.step.name}`}{" "}
              on {state.worker}
            </dd>
          </>
        ) : null}
        {took(build) === "" ? null : (
          <>
            <dt>Time</dt>
            <dd>{took(build)}</dd>
          </>
        )}
        {state.kind === "cancelled" ? (
          <>
            <dt>Cancelled by</dt>
            <dd>{state.by}</dd>
          </>
        ) : null}
        {build.rebuildOf === undefined ? null : (
          <>
            <dt>Again</dt>
            <dd>
              <a href={`/builds/${build.rebuildOf}`}>#{build.rebuildOf}</a>
            </dd>
          </>
        )}
      </dl>
      {build.steps.length === 0 ? null : (
        <>
          <h2>Steps</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">Step</th>
                <th scope="col">State</th>
                <th scope="col" class="number">
                  Time
                </th>
                <th scope="col">Meaning</th>
              </tr>
            </thead>
            <tbody>
              {build.steps.map((step) => (
                <Step step={step} />
              ))}
            </tbody>
          </table>
        </>
      )}
      <h2>Log</h2>
      {tail === undefined ? (
        <p>There is no log {state.kind === "queued" ? "yet" : "on this machine"}.</p>
      ) : (
        <>
          <p>
            The last lines; <a href={`/builds/${build.number}/log`}>all of it</a>
          </p>
          <pre tabindex={0}>{tail.map(({ text }) => plainText(text)).join("\n")}</pre>
        </>
      )}
    </Page>
  );
};
