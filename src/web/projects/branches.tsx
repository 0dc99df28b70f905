/** The branches of a project that were built, each with how it stands. */
import { quotedTitle, SHORT_SHA } from "../../builds/describe.ts";
import { Ago, State } from "../shell.tsx";
import type { Branch } from "./read.ts";

export const Branches = ({ branches, now }: { branches: readonly Branch[]; now: Date }) =>
  branches.length === 0 ? null : (
    <section aria-labelledby="branches">
      <h2 id="branches">Branches</h2>
      <div class="scroll">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Branch</th>
              <th scope="col">State</th>
              <th scope="col">Build</th>
              <th scope="col">Revision</th>
              <th scope="col" class="number">
                Asked
              </th>
            </tr>
          </thead>
          <tbody>
            {branches.map(({ name, build }) => (
              <tr>
                <th scope="row">{name}</th>
                <td>
                  <State build={build} />
                </td>
                <td>
                  <a href={`/builds/${build.number}`}>#{build.number}</a>
                </td>
                <td class="wide">
                  <code>{build.revision?.sha.slice(0, SHORT_SHA) ?? build.ref}</code>
                  {quotedTitle(build.revision)}
                  {build.revision === undefined ? "" : ` by ${build.revision.author}`}
                </td>
                <td class="number">
                  <Ago at={build.requestedAt} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
