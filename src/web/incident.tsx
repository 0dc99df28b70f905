/** A broken branch in one line: since when, and whose. */
import type { Incident } from "../incidents/incident.ts";
import { formatAge } from "../units.ts";
import { Sign } from "./shell.tsx";

interface BrokenProps {
  readonly incident: Incident;
  /** The project's own branch, which is not named. */
  readonly branch: string;
  /** What commands begin with. */
  readonly prefix: string;
  readonly now: Date;
}

export const Broken = ({ incident, branch, prefix, now }: BrokenProps) => (
  <p class="broken">
    <Sign tone="failed" word="broken" />
    {incident.branch === branch ? null : (
      <>
        {" "}
        on <code>{incident.branch}</code>
      </>
    )}{" "}
    for {formatAge(now.getTime() - Date.parse(incident.since))} since{" "}
    <a href={`/builds/${incident.firstBad.number}`}>#{incident.firstBad.number}</a> ·{" "}
    {incident.claimedBy === undefined ? (
      <>
        nobody has it:{" "}
        <code>
          {prefix}claim {incident.project}
        </code>
      </>
    ) : (
      `${incident.claimedBy} has it`
    )}
  </p>
);
