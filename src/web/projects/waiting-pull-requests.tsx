/** Pull requests of outsiders that wait for somebody's word: what each changes, what steers CI first, and the button that lets one head run. */
import { randomUUID } from "node:crypto";
import { SHORT_SHA } from "../../builds/describe.ts";
import type { Config, Project } from "../../config.ts";
import type { PullRequestChanges } from "../../triggers/pull-request-changes.ts";
import { describePullRequest, okToTest } from "../../triggers/waiting-notice.ts";
import { formatAge, formatCount } from "../../units.ts";
import { ActionForm } from "../forms/action-form.tsx";
import { mayDo, type Visitor } from "../login/visitor.ts";
import { Sign } from "../shell.tsx";
import { CHANGES_SHOWN, type WaitingView } from "./read.ts";

const STEERING_SHOWN = 40;
const OTHERS_SHOWN = 200;

interface WaitingProps {
  readonly waiting: readonly WaitingView[];
  readonly project: Project;
  readonly visitor: Visitor | undefined;
  readonly config: Pick<Config, "prefix" | "projects">;
  readonly now: Date;
}

export const WaitingPullRequests = ({ waiting, project, visitor, config, now }: WaitingProps) => {
  if (waiting.length === 0) return null;
  const rest = waiting.length - CHANGES_SHOWN;
  return (
    <section aria-labelledby="pulls" class="pulls">
      <h2 id="pulls">Pull requests that wait for somebody's word</h2>
      <p class="quiet">
        They are from outside. Look at what they change before you let them run: a build of one gets no secrets, but it
        runs here. The word counts for this head alone.
      </p>
      <ul>
        {waiting.slice(0, CHANGES_SHOWN).map(({ pull, changes }) => (
          <li>
            <h3>{describePullRequest(project, pull)}</h3>
            <p>
              <code>{pull.head.slice(0, SHORT_SHA)}</code> into <code>{pull.into}</code>
              {pull.waitingSince === undefined ? null : (
                <span class="quiet">
                  , waits for{" "}
                  <time datetime={pull.waitingSince}>{formatAge(now.getTime() - Date.parse(pull.waitingSince))}</time>
                </span>
              )}
            </p>
            <Changes changes={changes} />
            {mayDo(visitor) ? (
              <ActionForm
                visitor={visitor}
                action={`/projects/${project.name}/pulls/${pull.number}/ok-to-test`}
                label={`OK to test ${pull.head.slice(0, SHORT_SHA)}`}
                fields={{ head: pull.head, once: randomUUID() }}
              />
            ) : (
              <p class="quiet">
                A developer says{" "}
                <code>
                  {okToTest(config, project, pull.number)} {pull.head.slice(0, SHORT_SHA)}
                </code>{" "}
                in a chat, or logs in here.
              </p>
            )}
          </li>
        ))}
      </ul>
      {rest > 0 ? <p>{formatCount(rest)} more wait behind these.</p> : null}
    </section>
  );
};

const Changes = ({ changes }: { changes: PullRequestChanges | undefined }) => {
  if (changes === undefined) return <p>What it changes cannot be told now; load the page again in a moment.</p>;
  const { files, steering, areFilesCut } = changes;
  const others = files.slice(steering);
  const noun = others.length === 1 ? "file" : "files";
  return (
    <>
      {files.length === 0 ? <p>It changes no file.</p> : null}
      {files.length > 0 && steering === 0 && !areFilesCut ? <p>Nothing in it steers CI.</p> : null}
      {steering === 0 ? null : (
        <p>
          <Sign tone="errored" word="steers CI:" /> <Files files={files.slice(0, steering)} most={STEERING_SHOWN} />
        </p>
      )}
      {others.length === 0 ? null : (
        <details open={others.length <= 5}>
          <summary>{`${formatCount(others.length)} ${steering === 0 ? "" : "other "}${noun}`}</summary>
          <p>
            <Files files={others} most={OTHERS_SHOWN} />
          </p>
        </details>
      )}
      {areFilesCut ? <p>Not all of its files are known: look at it where it was opened.</p> : null}
    </>
  );
};

const Files = ({ files, most }: { files: readonly string[]; most: number }) => (
  <>
    {files.slice(0, most).map((file, index) => (
      <>
        {index === 0 ? "" : ", "}
        <code>{file}</code>
      </>
    ))}
    {files.length > most ? ` and ${formatCount(files.length - most)} more` : ""}
  </>
);
