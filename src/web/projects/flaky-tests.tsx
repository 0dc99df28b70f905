/** Tests and steps that changed their mind at one revision, and what that cost. */
import type { Unsteady } from "../../flaky/flaky-event.ts";
import { shownName } from "../../flaky/shown-test.ts";
import { formatAge, formatCount } from "../../units.ts";
import { FLAKY_DAYS } from "./read.ts";

const SHOWN = 20;

export const FlakyTests = ({ unsteady }: { unsteady: readonly Unsteady[] }) => (
  <section aria-labelledby="flaky">
    <h2 id="flaky">Flaky tests</h2>
    {unsteady.length === 0 ? (
      <p>
        No test changed its mind at one revision in {FLAKY_DAYS} days. <code>retry_failed: 1</code> on a step finds
        those that do.
      </p>
    ) : (
      <>
        <p class="quiet">Failed and passed at one revision in the last {FLAKY_DAYS} days.</p>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Test</th>
                <th scope="col" class="number">
                  Builds
                </th>
                <th scope="col" class="number">
                  Time lost
                </th>
                <th scope="col" class="number">
                  Last in
                </th>
              </tr>
            </thead>
            <tbody>
              {unsteady.slice(0, SHOWN).map(({ label, times, lostMs, last }) => (
                <tr>
                  <th scope="row">{shownName(label)}</th>
                  <td class="number">{formatCount(times)}</td>
                  <td class="number">{formatAge(lostMs)}</td>
                  <td class="number">
                    <a href={`/builds/${last}`}>#{last}</a>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {unsteady.length > SHOWN ? (
          <p class="quiet">{formatCount(unsteady.length - SHOWN)} more changed theirs.</p>
        ) : null}
      </>
    )}
  </section>
);
