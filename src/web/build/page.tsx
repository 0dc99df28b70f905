/** `/builds/:number`: one build as a page. */
import type { Child } from "hono/jsx";
import { type Build, isFinished } from "../../builds/build.ts";
import type { Changes } from "../../builds/changes.ts";
import { quotedTitle, requesterName, revisionName, SHORT_SHA, shortTitle } from "../../builds/describe.ts";
import { type ExpectedTimes, expectedPhrase } from "../../builds/expected.ts";
import type { LogLine } from "../../builds/log-files.ts";
import { artifactPath } from "../../builds/pictures.ts";
import { plainText } from "../../builds/plain-text.ts";
import { isOfPullRequest } from "../../builds/pull-request.ts";
import type { Retention } from "../../config.ts";
import type { RecordedPlan } from "../../pipeline/plan-record.ts";
import { changeWords, patchWords, percentWords } from "../../results/coverage-words.ts";
import { formatBytes, formatDuration } from "../../units.ts";
import { Pictures } from "../pictures.tsx";
import { type Bar, buildTitle, Page, State, Time, took } from "../shell.tsx";
import { factsOf } from "./follow.ts";
import { Steps } from "./steps.tsx";
import { Tests } from "./tests.tsx";
import { Why, type WhyProps } from "./why.tsx";

const ARTIFACTS_SHOWN = 10;
const COMMITS_SHOWN = 10;

export interface BuildPageProps extends Omit<WhyProps, "build"> {
  readonly build: Build;
  readonly plan: RecordedPlan | undefined;
  /** `"asking"` while git has not answered. */
  readonly changes: Changes | "asking" | undefined;
  readonly expected: ExpectedTimes | undefined;
  /** Why it has not begun, or when it will; undefined for one that has. */
  readonly waits: string | undefined;
  readonly tail: readonly LogLine[] | undefined;
  readonly retention: Retention;
  readonly now: Date;
  readonly bar: Bar;
  /** Buttons for whoever may press them. */
  readonly actions?: Child;
}

export const BuildPage = (props: BuildPageProps) => {
  const { build } = props;
  const isLive = !isFinished(build);
  return (
    <Page title={buildTitle(build)} bar={props.bar} tone={build.state.kind} live={isLive} scripts={["log"]}>
      <div id="facts" data-state={build.state.kind}>
        <div class="heading">
          <h1>
            {build.project} #{build.number} <State build={build} />
          </h1>
          {props.actions === undefined ? null : <div class="actions">{props.actions}</div>}
        </div>
        {reason(build) === "" ? null : <p class="reason">{reason(build)}</p>}
        <Facts {...props} />
        <Why {...props} />
        <Steps build={build} plan={props.plan} />
        <Tests build={build} />
        <Left {...props} />
        <Commits {...props} />
      </div>
      <Log build={build} tail={props.tail} />
    </Page>
  );
};

function reason(build: Build): string {
  return "reason" in build.state && build.state.reason !== undefined ? build.state.reason : "";
}

const Fact = ({ name, children }: { name: string; children?: Child }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

const Facts = ({ build, expected, waits, now }: BuildPageProps) => {
  const { state, requester } = build;
  const params = Object.entries(build.params);
  return (
    <dl class="facts">
      <Fact name="Revision">
        <code title={build.revision?.sha}>{revisionName(build)}</code>
        {quotedTitle(build.revision)}
        {build.revision === undefined ? "" : ` by ${build.revision.author}`}
      </Fact>
      <Fact name="Asked by">
        {requesterName(requester)}, <Time at={build.requestedAt} />
        {build.reason === undefined ? "" : `: ${build.reason}`}
      </Fact>
      {waits === undefined ? null : (
        <Fact name="Now">
          <span id="waits">{waits}</span>
        </Fact>
      )}
      {state.kind === "running" ? (
        <>
          <Fact name="Now">
            {state.step === undefined
              ? "fetching"
              : `step ${state.step.index} of ${state.step.count}, ${state.step.name}`}{" "}
            on {state.worker}
          </Fact>
          <Fact name="For">
            <span data-elapsed={Math.max(0, now.getTime() - Date.parse(state.startedAt))}>
              {formatDuration(Math.max(0, now.getTime() - Date.parse(state.startedAt)))}
            </span>
            {expected === undefined ? "" : ` of ${expectedPhrase(expected)}`}
          </Fact>
        </>
      ) : null}
      {took(build) === "" ? null : (
        <Fact name="Time">
          {took(build)}
          {expected === undefined ? "" : ` (usually ${formatDuration(expected.medianMs)})`}
        </Fact>
      )}
      {state.kind === "cancelled" ? <Fact name="Cancelled by">{state.by}</Fact> : null}
      {build.rebuildOf === undefined ? null : (
        <Fact name="Again">
          <a href={`/builds/${build.rebuildOf}`}>#{build.rebuildOf}</a>
        </Fact>
      )}
      {params.length === 0 ? null : (
        <Fact name="With">
          <code>{params.map(([name, value]) => `${name}=${value}`).join(" ")}</code>
        </Fact>
      )}
      {build.attempt > 1 ? <Fact name="Attempt">{build.attempt}</Fact> : null}
      <Fact name="Project">
        <a href={`/projects/${build.project}`}>{build.project}</a>
      </Fact>
    </dl>
  );
};

/** Coverage, artifacts, and what can be entered for a while. */
const Left = ({ build, retention, now }: BuildPageProps) => {
  const { coverage, artifacts = [], kept } = build.results ?? {};
  const entered = kept !== undefined && Date.parse(kept.until) > now.getTime() ? kept.steps : [];
  if (coverage === undefined && artifacts.length === 0 && entered.length === 0) return null;
  const change = coverage === undefined ? "" : changeWords(coverage);
  const patch = coverage === undefined ? "" : patchWords(coverage);
  return (
    <>
      <h2>Results</h2>
      <dl>
        {coverage === undefined ? null : (
          <Fact name="Coverage">
            <a href={`/coverage/${build.project}/${build.number}/`}>
              {percentWords(coverage.totals)} of {coverage.totals.unit}
            </a>
            {change === "" ? "" : ` (${change}`}
            {coverage.change.kind === "since" && change !== "" ? (
              <>
                {" since "}
                <a href={`/builds/${coverage.change.build}`}>#{coverage.change.build}</a>
              </>
            ) : null}
            {change === "" ? "" : ")"}
            {patch === "" ? "" : ` · ${patch}`}
            {coverage.partial === true ? " · in part: not all tests passed" : ""}
          </Fact>
        )}
        {artifacts.length === 0 ? null : (
          <Fact name="Artifacts">
            <ul class="plain">
              {artifacts.slice(0, ARTIFACTS_SHOWN).map(({ path, bytes }) => (
                <li>
                  <a href={artifactPath(build.number, path)}>{path}</a> <span class="quiet">{formatBytes(bytes)}</span>
                </li>
              ))}
              {artifacts.length > ARTIFACTS_SHOWN ? (
                <li>
                  <a href={`/artifacts/${build.number}/`}>and {artifacts.length - ARTIFACTS_SHOWN} more</a>
                </li>
              ) : null}
            </ul>
            <Pictures build={build} retention={retention} now={now} />
          </Fact>
        )}
        {kept === undefined || entered.length === 0 ? null : (
          <Fact name="Kept">
            until <Time at={kept.until} />, to be entered on {build.ranOn?.worker}
            <ul class="plain">
              {entered.map(({ step, command }) => (
                <li>
                  {step}: <code>{command}</code>
                </li>
              ))}
            </ul>
          </Fact>
        )}
      </dl>
    </>
  );
};

const Commits = ({ build, changes }: BuildPageProps) => {
  if (changes === undefined) return null;
  if (changes === "asking") {
    return (
      <p>
        <a href={`/builds/${build.number}/changes`}>
          What changed{isOfPullRequest(build) ? "" : " since the build before"}
        </a>
      </p>
    );
  }
  return (
    <section aria-labelledby="commits">
      <h2 id="commits">
        {changes.since === undefined ? (
          "Commits of this pull request"
        ) : (
          <>
            Commits since <a href={`/builds/${changes.since}`}>#{changes.since}</a>
          </>
        )}
      </h2>
      {changes.commits.length === 0 ? <p>None: it is the same revision.</p> : null}
      <CommitList commits={changes.commits.slice(0, COMMITS_SHOWN)} />
      {changes.commits.length > COMMITS_SHOWN ? (
        <p>
          <a href={`/builds/${build.number}/changes`}>and {changes.commits.length - COMMITS_SHOWN} more</a>
        </p>
      ) : null}
    </section>
  );
};

const CommitList = ({ commits }: { commits: Changes["commits"] }) => (
  <ul class="plain">
    {commits.map(({ sha, author, title }) => (
      <li>
        <code>{sha.slice(0, SHORT_SHA)}</code> {shortTitle(title)} <span class="quiet">{author}</span>
      </li>
    ))}
  </ul>
);

/** `/builds/:n/changes` */
export const ChangesPage = ({ build, changes, bar }: { build: Build; changes: Changes | undefined; bar: Bar }) => (
  <Page title={`Changes of ${build.project} #${build.number}`} bar={bar}>
    <h1>
      Changes of{" "}
      <a href={`/builds/${build.number}`}>
        {build.project} #{build.number}
      </a>
    </h1>
    {changes === undefined ? (
      <p>There is no build before it on its branch, or git cannot be asked at the moment.</p>
    ) : (
      <>
        {changes.since === undefined ? (
          <p>The commits of this pull request.</p>
        ) : (
          <p>
            Since <a href={`/builds/${changes.since}`}>#{changes.since}</a>
          </p>
        )}
        {changes.commits.length === 0 ? <p>None: it is the same revision.</p> : null}
        <CommitList commits={changes.commits} />
      </>
    )}
  </Page>
);

function noLog(build: Build): string {
  const { ranOn, results } = build;
  if (!isFinished(build)) return "There is no log yet.";
  if (results?.undelivered === undefined) return "There is no log on this machine.";
  return `Its log and files are still on ${ranOn?.worker ?? "its worker"} (${results.undelivered}), and come as soon as they can.`;
}

const Log = ({ build, tail }: { build: Build; tail: readonly LogLine[] | undefined }) => {
  const { number } = build;
  return (
    <section
      id="log"
      class="log"
      aria-labelledby="log-heading"
      data-build={number}
      data-live={!isFinished(build)}
      data-told={factsOf(build)}
    >
      <h2 id="log-heading">Log</h2>
      {tail === undefined ? (
        <p class="log-none">{noLog(build)}</p>
      ) : (
        <div class="log-plain">
          <p>
            The last lines; <a href={`/builds/${number}/log`}>all of it</a> as text, or{" "}
            <a href={`/builds/${number}/log/view`}>in pieces</a>
          </p>
          <pre tabindex={0}>{tail.map(({ text }) => plainText(text)).join("\n")}</pre>
        </div>
      )}
    </section>
  );
};
