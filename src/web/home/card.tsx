/** One project on the first page. */
import type { Build } from "../../builds/build.ts";
import type { Outlook } from "../../builds/builds.ts";
import { quotedTitle, revisionName } from "../../builds/describe.ts";
import { SIGNS } from "../../chat/reply.ts";
import type { Config } from "../../config.ts";
import { changeWords, percentWords } from "../../results/coverage-words.ts";
import { testWords } from "../../results/test-words.ts";
import { formatCount } from "../../units.ts";
import { Broken } from "../incident.tsx";
import { Progress, stepWords } from "../progress.tsx";
import { Ago, Sign, took, wordOf } from "../shell.tsx";
import { Sparkline } from "../trends/sparkline.tsx";
import { trendOf } from "../trends/trend.ts";
import type { Glance } from "./glance.ts";

interface CardProps {
  readonly glance: Glance;
  readonly outlook: Outlook;
  readonly config: Pick<Config, "prefix">;
  readonly now: Date;
}

export const Card = ({ glance, outlook, config, now }: CardProps) => {
  const { project, standing, builds, running, incidents, waiting } = glance;
  return (
    <li class={`card ${standing === undefined ? "" : `stands-${standing.state.kind}`}`}>
      <h2>
        <a href={`/projects/${project.name}`}>{project.name}</a>
        {standing === undefined ? null : <Sign tone={standing.state.kind} />}
      </h2>
      {standing === undefined ? (
        <p class="quiet">
          Not built yet. Say{" "}
          <code>
            {config.prefix}build {project.name}
          </code>{" "}
          in a chat or in the terminal.
        </p>
      ) : (
        <Standing build={standing} now={now} />
      )}
      {incidents.map((incident) => (
        <Broken incident={incident} branch={project.branch} prefix={config.prefix} now={now} />
      ))}
      {running.map((build) => (
        <p class="at-work">
          <a href={`/builds/${build.number}`}>
            <Sign tone="running" word={`#${build.number}`} />
          </a>{" "}
          {stepWords(build)} <Progress build={build} expected={outlook.expected(build)} now={now} />
        </p>
      ))}
      {waiting === 0 ? null : (
        <p>
          <Sign tone="queued" word={waiting === 1 ? "1 pull request" : `${formatCount(waiting)} pull requests`} />{" "}
          {waiting === 1 ? "waits" : "wait"} for <a href={`/projects/${project.name}#pulls`}>somebody's word</a>
        </p>
      )}
      <Strip builds={builds} />
      <Coverage builds={builds} />
    </li>
  );
};

const Standing = ({ build, now }: { build: Build; now: Date }) => (
  <p>
    <a href={`/builds/${build.number}`}>#{build.number}</a> <code>{revisionName(build)}</code>
    {quotedTitle(build.revision)}
    {build.revision === undefined ? null : ` by ${build.revision.author}`}{" "}
    <span class="quiet">
      {took(build) === "" ? "" : `${took(build)} · `}
      <Ago at={"finishedAt" in build.state ? build.state.finishedAt : build.requestedAt} now={now} />
    </span>
    {failureWords(build) === "" ? null : <span class="failure">{failureWords(build)}</span>}
  </p>
);

/** The tests that failed, else what is said of the end. */
function failureWords({ state, results }: Build): string {
  if (state.kind === "failed" && results?.tests !== undefined && results.tests.failed > 0)
    return testWords(results.tests);
  return state.kind === "failed" || state.kind === "errored" ? state.reason : "";
}

/** The oldest on the left, as time goes. */
const Strip = ({ builds }: { builds: readonly Build[] }) =>
  builds.length === 0 ? null : (
    <ol class="strip" aria-label="Latest builds, the oldest first">
      {builds.toReversed().map((build) => {
        const { kind } = build.state;
        const words = `#${build.number} ${wordOf(kind)}${took(build) === "" ? "" : ` in ${took(build)}`}`;
        return (
          <li>
            <a class={`cell ${kind}`} href={`/builds/${build.number}`} title={`${words} · ${revisionName(build)}`}>
              <span aria-hidden="true">{SIGNS[kind]}</span>
              <span class="unseen">{words}</span>
            </a>
          </li>
        );
      })}
    </ol>
  );

/** The newest coverage and how it came to it; nothing for a project that counts none. */
const Coverage = ({ builds }: { builds: readonly Build[] }) => {
  const trend = trendOf(builds).filter(({ coverage }) => coverage !== undefined);
  const newest = trend.at(-1)?.build;
  const found = newest?.results?.coverage;
  if (newest === undefined || found === undefined) return null;
  const change = changeWords(found);
  return (
    <p class="coverage">
      <Sparkline
        values={trend.flatMap(({ coverage }) => coverage ?? [])}
        label={`coverage of the last ${trend.length} builds`}
      />
      <a href={`/coverage/${newest.project}/${newest.number}/`}>coverage {percentWords(found.totals)}</a>
      {change === "" ? null : <span class="quiet">({change})</span>}
    </p>
  );
};
