/** The pages behind the links in chat: facts first, nothing that needs a script. */
import type { Child } from "hono/jsx";
import { type Build, durationMs, isFinished, type StepResult } from "../builds/build.ts";
import { quotedTitle, revisionName } from "../builds/describe.ts";
import type { LogLine } from "../builds/log-files.ts";
import { plainText } from "../builds/plain-text.ts";
import { SIGNS } from "../chat/reply.ts";
import type { Project } from "../config.ts";
import { shownRepository } from "../config.ts";
import { formatDuration } from "../units.ts";

/** How often a page about a build under way looks again. */
const REFRESH_S = 3;

interface PageProps {
  readonly title: string;
  readonly version: string;
  readonly live?: boolean;
  readonly children?: Child;
}

export const Page = ({ title, version, live = false, children }: PageProps) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      {live ? <meta http-equiv="refresh" content={String(REFRESH_S)} /> : null}
      <title>{title}</title>
      <link rel="stylesheet" href="/style.css" />
      <link rel="icon" href="data:," />
    </head>
    <body>
      <header>
        <a href="/">docker-ci</a>
      </header>
      <main>{children}</main>
      <footer>docker-ci {version}</footer>
    </body>
  </html>
);

const State = ({ build }: { build: Build }) => (
  <span class={`state ${build.state.kind}`}>
    {SIGNS[build.state.kind]} {build.state.kind === "errored" ? "could not run" : build.state.kind}
  </span>
);

const took = (build: Build): string =>
  isFinished(build) && build.state.startedAt ? formatDuration(durationMs(build)) : "";

/** `✘ docker-registry #43`: what a row of browser tabs shows. */
export function buildTitle(build: Build): string {
  return `${SIGNS[build.state.kind]} ${build.project} #${build.number}`;
}

export const BuildTable = ({ builds }: { builds: readonly Build[] }) =>
  builds.length === 0 ? (
    <p>There are no builds yet.</p>
  ) : (
    <table>
      <thead>
        <tr>
          <th>Build</th>
          <th>State</th>
          <th>Revision</th>
          <th class="number">Time</th>
          <th>Asked</th>
        </tr>
      </thead>
      <tbody>
        {builds.map((build) => (
          <tr>
            <td>
              <a href={`/builds/${build.number}`}>
                {build.project} #{build.number}
              </a>
            </td>
            <td>
              <State build={build} />
            </td>
            <td>
              <code>{revisionName(build)}</code>
              {quotedTitle(build.revision)}
            </td>
            <td class="number">{took(build)}</td>
            <td>
              {build.requester.name}, <Time at={build.requestedAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );

export const Time = ({ at }: { at: string }) => <time datetime={at}>{at.slice(0, 16).replace("T", " ")} UTC</time>;

export const HomePage = (props: {
  projects: readonly Project[];
  builds: readonly Build[];
  version: string;
  live: boolean;
}) => (
  <Page title="docker-ci" version={props.version} live={props.live}>
    <h1>Builds</h1>
    <BuildTable builds={props.builds} />
    <h2>Projects</h2>
    <ul>
      {props.projects.map(({ name }) => (
        <li>
          <a href={`/projects/${name}`}>{name}</a>
        </li>
      ))}
    </ul>
  </Page>
);

export const ProjectPage = (props: { project: Project; builds: readonly Build[]; version: string; live: boolean }) => (
  <Page title={props.project.name} version={props.version} live={props.live}>
    <h1>{props.project.name}</h1>
    <p>
      <code>{shownRepository(props.project.repo)}</code>, branch <code>{props.project.branch}</code>
    </p>
    <BuildTable builds={props.builds} />
  </Page>
);

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

export const BuildPage = (props: { build: Build; tail: readonly LogLine[] | undefined; version: string }) => {
  const { build, tail } = props;
  const { state } = build;
  return (
    <Page title={buildTitle(build)} version={props.version} live={!isFinished(build)}>
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
                <th>Step</th>
                <th>State</th>
                <th class="number">Time</th>
                <th>Meaning</th>
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

export const MissingPage = ({ what, version }: { what: string; version: string }) => (
  <Page title="Not found" version={version}>
    <h1>Not found</h1>
    <p>{what}</p>
  </Page>
);
