/** Builds in a table, the newest first. */
import type { Build } from "../builds/build.ts";
import { quotedTitle, revisionName } from "../builds/describe.ts";
import { State, Time, took } from "./shell.tsx";

interface BuildTableProps {
  readonly builds: readonly Build[];
  /** Whether each line names the project: not on a project's own page. */
  readonly named?: boolean;
}

export const BuildTable = ({ builds, named = false }: BuildTableProps) =>
  builds.length === 0 ? (
    <p>There are no builds yet.</p>
  ) : (
    <div class="scroll">
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Build</th>
            <th scope="col">State</th>
            <th scope="col">Revision</th>
            <th scope="col" class="number">
              Time
            </th>
            <th scope="col">Asked</th>
          </tr>
        </thead>
        <tbody>
          {builds.map((build) => (
            <tr>
              <td>
                <a href={`/builds/${build.number}`}>
                  {named ? `${build.project} ` : ""}
                  <span class="whole">#{build.number}</span>
                </a>
              </td>
              <td>
                <State build={build} />
              </td>
              <td class="wide">
                <code>{revisionName(build)}</code>
                {quotedTitle(build.revision)}
              </td>
              <td class="number">{took(build)}</td>
              <td class="wide quiet">
                {build.requester.name}, <Time at={build.requestedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
