/** What docker-ci itself writes into a build's log: whose it is, why it begins anew, how it ended. */
import { formatDuration } from "../units.ts";
import type { Build, FinalState } from "./build.ts";
import { quotedTitle, requesterName, revisionName } from "./describe.ts";

/** `begins anew on big-2, as big-1 was lost` */
export function anewWords({ state, ranOn, labels = [] }: Build, worker: string): string {
  const other = ranOn?.worker ?? "the worker before";
  const reason = state.kind === "queued" ? `lacked ${labels.join(" or ")}` : "was lost";
  return `begins anew on ${worker}, as ${other} ${reason}`;
}

/** Its first line. */
export function headWords(build: Build): string {
  const by = build.revision === undefined ? "" : ` by ${build.revision.author}`;
  const again = build.rebuildOf === undefined ? "" : ` · again what #${build.rebuildOf} was`;
  return `── ${build.project} #${build.number} · ${revisionName(build)}${quotedTitle(build.revision)}${by} · asked by ${requesterName(build.requester)}${again} · ${build.requestedAt}`;
}

/** Its last one, without the dashes in front: `passed in 1m03s · 2026-03-01T12:00:00.000Z` */
export function endWords(state: FinalState): string {
  const took =
    state.startedAt === undefined
      ? ""
      : ` in ${formatDuration(Date.parse(state.finishedAt) - Date.parse(state.startedAt))}`;
  const reason = "reason" in state && state.reason !== undefined ? `: ${state.reason}` : "";
  return `${state.kind}${took}${reason} · ${state.finishedAt}`;
}
