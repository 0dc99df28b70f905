/** The port to a site with pull requests and commit statuses; each of adapters/forge knows one. */
import type { Forge } from "./config.ts";
import type { Sha } from "./names.ts";
import type { Change } from "./triggers/change.ts";

export type StatusState = "pending" | "success" | "failure" | "error";

export interface CommitStatus {
  readonly sha: Sha;
  readonly state: StatusState;
  /** At most 140 characters, which is GitHub's limit. */
  readonly description: string;
  readonly url: string;
  /** Names the check: `docker-ci/docker-registry`. The same context again replaces it. */
  readonly context: string;
}

/** Throws RuntimeError; `retryable` says whether it may work later. */
export interface ForgeApi {
  setStatus(repository: Forge, status: CommitStatus, signal: AbortSignal): Promise<void>;
  /** Writes one comment for each `key`, edited in place later. */
  comment(repository: Forge, pullRequest: number, key: string, markdown: string, signal: AbortSignal): Promise<void>;
}

/** What a webhook said. */
export type Heard =
  | { readonly kind: "changes"; readonly delivery: string; readonly changes: readonly Change[] }
  /** Understood, and nothing to do: a ping, a deleted branch, an event that is none of ours. */
  | { readonly kind: "nothing"; readonly reason: string }
  | { readonly kind: "refused"; readonly status: 400 | 401 | 404 | 413; readonly reason: string };
