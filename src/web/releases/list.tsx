/** The releases in a table, the newest first; or how to have one. */
import type { Config } from "../../config.ts";
import { type Release, releaseName } from "../../releases/release.ts";
import { planRevision, releaseTone, stateWord, votesWords } from "../../releases/words.ts";
import { Ago, Sign } from "../shell.tsx";

interface ReleaseTableProps {
  readonly releases: readonly Release[];
  readonly config: Config;
  readonly now: Date;
}

export const ReleaseTable = ({ releases, config, now }: ReleaseTableProps) => (
  <div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Release</th>
          <th scope="col">State</th>
          <th scope="col">Approvals</th>
          <th scope="col">Revision</th>
          <th scope="col">Asked for</th>
        </tr>
      </thead>
      <tbody>
        {releases.map((release) => (
          <tr>
            <th scope="row">
              <a href={`/releases/${releaseName(release)}`}>
                {releaseName(release)} {release.plan.project} {release.plan.version}
              </a>
              {release.plan.kind === "rollback" ? <span class="quiet"> rollback</span> : null}
            </th>
            <td>
              <Sign tone={releaseTone(release)} word={stateWord(release)} />
            </td>
            <td data-label="approvals">
              {release.origin === "nightly" ? <span class="quiet">none needed</span> : votesWords(release, config)}
            </td>
            <td>
              <code>{planRevision(release.plan)}</code>
            </td>
            <td class="quiet">
              {release.origin === "nightly" ? "every night" : `by ${release.requester.name}`},{" "}
              <Ago at={release.requestedAt} now={now} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

export const NoReleases = ({ config }: { config: Config }) => {
  const [project] = config.releases.keys();
  if (project === undefined) {
    return (
      <p>
        There are none, and no project is set up for them: <code>releases:</code> in <code>docker-ci.yml</code> says
        where a project's versions are published, how they are signed and how many must approve.
      </p>
    );
  }
  return (
    <p>
      There are none yet. <code>{`${config.prefix}release ${project} 1.0.0`}</code> in a chat asks for the first one; it
      is published when enough people approved it.
    </p>
  );
};
