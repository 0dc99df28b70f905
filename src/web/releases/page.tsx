/** One release: what would be published or was, who agreed to it, how far it came, what it changes; and the buttons to decide. */
import { randomUUID } from "node:crypto";
import { SHORT_SHA } from "../../builds/describe.ts";
import { artifactPath } from "../../builds/pictures.ts";
import type { Config } from "../../config.ts";
import type { BuildNumber } from "../../names.ts";
import { type Release, type ReleasePlan, releaseName } from "../../releases/release.ts";
import { goodVotes, stillAsked, votesNeeded } from "../../releases/votes.ts";
import {
  buildWords,
  commitsWords,
  planRevision,
  pointerWords,
  releaseTitle,
  releaseTone,
  stateWord,
  testsWords,
} from "../../releases/words.ts";
import type { Artifact } from "../../results/summary.ts";
import { formatAge, formatBytes, formatCount } from "../../units.ts";
import { ActionForm } from "../forms/action-form.tsx";
import { mayDo, type Visitor } from "../login/visitor.ts";
import { Ago, Sign, Time } from "../shell.tsx";
import { PublishSteps } from "./steps.tsx";

const FILES_SHOWN = 200;
/** Of a form: not what a screen reader calls a role. */
const APPROVER = { role: "approver" } as const;

interface ReleasePageProps {
  readonly release: Release;
  /** The one that is published, or the newest of that revision. */
  readonly build: BuildNumber | undefined;
  readonly files: readonly Artifact[];
  /** Whether they are of the build that is published. */
  readonly isExact: boolean;
  readonly config: Config;
  readonly visitor: Visitor | undefined;
  readonly now: Date;
}

export const ReleasePage = (props: ReleasePageProps) => {
  const { release, build, files, isExact, config, visitor, now } = props;
  const { plan } = release;
  return (
    <>
      <div class="release">
        <div id="standing" data-live>
          <h1>
            {releaseTitle(release)} <Sign tone={releaseTone(release)} word={stateWord(release)} />
          </h1>
          <Outcome release={release} />
          {(plan.warnings ?? []).map((warning) => (
            <p>
              <Sign tone="errored" word="in its way:" /> {warning}
            </p>
          ))}
          <Facts release={release} build={build} now={now} />
        </div>
        <Decide release={release} config={config} visitor={visitor} />
        <div id="votes" data-live>
          <Votes release={release} config={config} now={now} />
          <PublishSteps release={release} />
        </div>
      </div>
      <Changes plan={plan} />
      {plan.kind === "rollback" ? null : <Files files={files} build={build} isExact={isExact} />}
    </>
  );
};

/** Why it is over, where that takes words. */
const Outcome = ({ release }: { release: Release }) => {
  const { state } = release;
  switch (state.kind) {
    case "waiting":
    case "publishing":
    case "expired":
      return null;
    case "published":
      return (
        <>
          <p class="reason">
            {formatCount(state.files)} {state.files === 1 ? "file" : "files"}, {formatBytes(state.bytes)}, at{" "}
            <code>{release.plan.target}</code>
          </p>
          {state.warnings.map((warning) => (
            <p>
              <Sign tone="errored" word="besides:" /> {warning}
            </p>
          ))}
        </>
      );
    case "failed":
      return (
        <>
          <p class="reason">{`step ${state.step}: ${state.reason}`}</p>
          {state.lines === undefined ? null : <pre>{state.lines.join("\n")}</pre>}
        </>
      );
    case "rejected":
      return <p class="reason">{`by ${state.by}${state.reason === undefined ? "" : `: ${state.reason}`}`}</p>;
    case "refused":
      return <p class="reason">{state.reason}</p>;
    default:
      return state satisfies never;
  }
};

const Facts = ({ release, build, now }: { release: Release; build: BuildNumber | undefined; now: Date }) => {
  const { plan, state, requester } = release;
  return (
    <dl>
      <dt>Revision</dt>
      <dd>
        <code>{planRevision(plan)}</code> {plan.title} <span class="quiet">by {plan.author}</span>
      </dd>
      <dt>Build</dt>
      <dd>
        {build === undefined ? (
          "not built yet"
        ) : (
          <a href={`/builds/${build}`}>{build === plan.build?.number ? buildWords(plan) : `#${build}`}</a>
        )}
        {plan.skipTests === true ? (
          <>
            {" "}
            <Sign tone="errored" word={testsWords(plan)} />
          </>
        ) : null}
      </dd>
      <dt>{plan.kind === "rollback" ? "Takes back" : "Since"}</dt>
      <dd>
        <a href="#changes">{commitsWords(plan)}</a>
      </dd>
      <dt>Goes to</dt>
      <dd>
        <code>{plan.target}</code>
        {pointerWords(plan) === "" ? null : <span class="quiet"> {pointerWords(plan)}</span>}
      </dd>
      <dt>Signed by</dt>
      <dd>{plan.key === undefined ? "nobody: no key is configured" : <code>{plan.key}</code>}</dd>
      {"sha256" in state ? (
        <>
          <dt>Manifest</dt>
          <dd>
            <code>{state.sha256}</code>
          </dd>
        </>
      ) : null}
      <dt>Asked for</dt>
      <dd>
        {release.origin === "nightly" ? "every night" : `by ${requester.name} on ${requester.network}`},{" "}
        <Ago at={release.requestedAt} now={now} />
      </dd>
      {state.kind === "waiting" ? (
        <>
          <dt>Expires</dt>
          <dd>
            <Time at={state.expiresAt} />, in {formatAge(Date.parse(state.expiresAt) - now.getTime())}
          </dd>
        </>
      ) : null}
      {"finishedAt" in state ? (
        <>
          <dt>Over</dt>
          <dd>
            <Time at={state.finishedAt} />
          </dd>
        </>
      ) : null}
    </dl>
  );
};

/** Nothing of it is live: what somebody types there stays. */
const Decide = ({ release, config, visitor }: Pick<ReleasePageProps, "release" | "config" | "visitor">) => {
  if (release.state.kind !== "waiting") return null;
  const name = releaseName(release);
  const isOwn = visitor !== undefined && release.askedBy === visitor.identity.key;
  const mayApprove = mayDo(visitor, "approver") && visitor?.identity.key.startsWith("person:") === true;
  const own = config.releases.get(release.plan.project)?.ownApproval === true;
  return (
    <section class="decide" aria-label="Decide">
      {mayApprove && (!isOwn || own) ? (
        <ActionForm
          visitor={visitor}
          {...APPROVER}
          action={`/releases/${name}/approve`}
          label={`Approve ${release.plan.version}`}
          look="main"
          fields={{ once: randomUUID(), digest: release.digest }}
        />
      ) : null}
      {mayApprove || isOwn ? (
        <ActionForm
          visitor={visitor}
          {...(isOwn ? {} : APPROVER)}
          action={`/releases/${name}/reject`}
          label={isOwn ? "Withdraw" : "Reject"}
          look="danger"
          fields={{ once: randomUUID() }}
        >
          <label>
            Why
            <input name="reason" maxlength={200} size={32} />
          </label>
        </ActionForm>
      ) : (
        <p class="quiet">
          An approver says <code>{`${config.prefix}approve ${name}`}</code> or{" "}
          <code>{`${config.prefix}reject ${name} <reason>`}</code> in a chat, or decides here once logged in.
        </p>
      )}
      {visitor !== undefined && !mayApprove ? (
        <p class="quiet">Approving takes the role approver. {visitor.identity.advice}</p>
      ) : null}
    </section>
  );
};

const Votes = ({ release, config, now }: Pick<ReleasePageProps, "release" | "config" | "now">) => {
  if (release.origin === "nightly") return null;
  const good = goodVotes(release, config);
  const asked = release.state.kind === "waiting" ? stillAsked(release, config) : [];
  return (
    <>
      <h2>
        Approvals: {good.length} of {votesNeeded(release, config)}
      </h2>
      {release.votes.length === 0 ? null : (
        <ul class="plain">
          {release.votes.map((vote) => (
            <li>
              <Sign tone={good.includes(vote) ? "passed" : "cancelled"} word={vote.by} />{" "}
              <span class="quiet">
                on {vote.network}, <Ago at={vote.at} now={now} />
                {good.includes(vote) ? "" : "; counts no more"}
              </span>
            </li>
          ))}
        </ul>
      )}
      {asked.length === 0 ? null : <p class="quiet">Could approve: {asked.join(", ")}</p>}
    </>
  );
};

const Changes = ({ plan }: { plan: ReleasePlan }) => (
  <section id="changes">
    <h2>{plan.kind === "rollback" ? "What is taken back" : "What changed"}</h2>
    {plan.commits.length === 0 ? (
      <p class="quiet">{plan.commitsSince === undefined ? "Nothing to compare it with." : "No commit."}</p>
    ) : (
      <ul class="plain commits">
        {plan.commits.map(({ sha, author, title }) => (
          <li>
            <code>{sha.slice(0, SHORT_SHA)}</code> {title} <span class="quiet">{author}</span>
          </li>
        ))}
      </ul>
    )}
    {plan.commitsCut ? <p class="quiet">Older ones are left out.</p> : null}
  </section>
);

const Files = ({ files, build, isExact }: Pick<ReleasePageProps, "files" | "build" | "isExact">) => {
  if (build === undefined || files.length === 0) return null;
  return (
    <section>
      <h2>Files</h2>
      {isExact ? null : (
        <p class="quiet">
          As <a href={`/builds/${build}`}>#{build}</a> left them; what is published comes from a build of its own.
        </p>
      )}
      <ul class="plain">
        {files.slice(0, FILES_SHOWN).map(({ path, bytes }) => (
          <li>
            <a href={artifactPath(build, path)}>{path}</a> <span class="quiet">{formatBytes(bytes)}</span>
          </li>
        ))}
      </ul>
      {files.length > FILES_SHOWN ? <p>{formatCount(files.length - FILES_SHOWN)} more.</p> : null}
    </section>
  );
};
