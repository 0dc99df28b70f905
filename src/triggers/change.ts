/** What happened in a repository, whoever told us: a webhook, the poller. */
import type { GitRef, ProjectName, Sha } from "../names.ts";

interface ChangeBase {
  readonly project: ProjectName;
  /** As the forge calls them; shown as who caused the build. */
  readonly by: string;
}

export interface Pushed extends ChangeBase {
  readonly kind: "push";
  readonly branch: GitRef;
  /** Missing for a new branch, and where nobody knows. */
  readonly before: Sha | undefined;
  readonly after: Sha;
  /** Of the commits that came, newest last; where the forge tells them. */
  readonly messages: readonly string[];
  /** Paths that they changed; undefined where nobody told. */
  readonly files: readonly string[] | undefined;
}

export interface Tagged extends ChangeBase {
  readonly kind: "tag";
  readonly tag: GitRef;
  readonly sha: Sha;
}

export interface PullRequestChanged extends ChangeBase {
  readonly kind: "pull_request";
  readonly number: number;
  /** `updated` is a new head, or one that is ready now. */
  readonly action: "opened" | "updated" | "closed";
  readonly head: Sha;
  readonly into: GitRef;
  readonly title: string;
  /** Whether its author may push to the repository; others' wait, where the project asks. */
  readonly isTrusted: boolean;
  readonly isDraft: boolean;
}

/** Somebody said something about a pull request on the forge. */
export interface Commented extends ChangeBase {
  readonly kind: "comment";
  readonly number: number;
  readonly command: "test" | "retest" | "ok-to-test" | "cancel";
  /** Only then it counts; undefined where the webhook does not tell, and the forge is to be asked. */
  readonly isCollaborator?: boolean | undefined;
  /** Who said it, where the forge knows people by a number. */
  readonly userId?: number | undefined;
}

export type Change = Pushed | Tagged | PullRequestChanged | Commented;

/** What became of a change, for whoever told it. */
export type Taken =
  | { readonly kind: "built"; readonly builds: readonly number[] }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "waits"; readonly reason: string }
  | { readonly kind: "cancelled"; readonly builds: readonly number[] };

export interface Triggers {
  /**
   * Acts on a change, once for each `delivery` (an id that is the same when it is told again; remembered for three days).
   * @throws RuntimeError where git or Redis is away: then it may be told again.
   */
  take(change: Change, delivery: string): Promise<Taken>;
}
