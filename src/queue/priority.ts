/** Whose build goes first: a person's, then pull requests, then pushes, then nights; and nobody waits for ever. */
import type { Build } from "../builds/build.ts";
import { TRIGGER_NETWORK } from "../names.ts";

/** After this long a build that waits stands like one of the next class that was only just asked for. */
const CLASS_STEP_MS = 10 * 60_000;

type Waiting = Pick<Build, "number" | "event" | "requester" | "requestedAt">;

/** 0 goes first. What a person asked for is theirs, whatever it is: `!nightly` too. */
function classOf({ event, requester }: Pick<Build, "event" | "requester">): 0 | 1 | 2 | 3 {
  if (requester.network !== TRIGGER_NETWORK) return 0;
  if (event === "pull_request") return 1;
  return event === "nightly" ? 3 : 2;
}

/**
 * Where it stands in the line, less being sooner: when it was asked for, put off by its class. A build that gains a class for
 * every ten minutes of waiting and one that is put off by ten minutes for every class are the same, and this one never changes.
 */
export function standingOf(build: Pick<Waiting, "event" | "requester" | "requestedAt">): number {
  return Date.parse(build.requestedAt) + classOf(build) * CLASS_STEP_MS;
}

/** For sorting a line. */
export function bySoonest(a: Waiting, b: Waiting): number {
  return standingOf(a) - standingOf(b) || a.number - b.number;
}
