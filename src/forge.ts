/** The port to a site with pull requests and commit statuses; each of adapters/forge knows one. */
import type { Config, Forge } from "./config.ts";
import { RuntimeError } from "./errors.ts";
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

/** The forge takes no calls before that moment: a limit of theirs is reached. */
export class ForgeLimit extends RuntimeError {
  readonly until: Date;

  constructor(message: string, until: Date) {
    super(message);
    this.until = until;
  }
}

/** Somebody on a forge: GitLab is asked about people by their number, the others by their name. */
export interface ForgeUser {
  readonly name: string;
  readonly id?: number | undefined;
}

/** What a token can be used for in a repository. */
export interface Probed {
  /** Whether statuses may be set with it. */
  readonly mayWrite: boolean;
  /** Whether it is told who may push there. */
  readonly mayAsk: boolean;
}

export interface ForgeRelease {
  /** The forge sets it at `sha` where there is none. */
  readonly tag: string;
  readonly sha: Sha;
  readonly title: string;
  /** Markdown. */
  readonly notes: string;
  readonly isPrerelease: boolean;
  /** False where the forge is not to show it as the latest; where it is missing the forge decides. */
  readonly isLatest?: false;
}

/** Throws RuntimeError; `retryable` says whether it may work later. */
export interface ForgeApi {
  /** Whether the repository can be seen with this token, and what the token can be used for. Changes nothing. */
  probe(repository: Forge, signal: AbortSignal): Promise<Probed>;
  /** Missing where docker-ci sets none. */
  setStatus?(repository: Forge, status: CommitStatus, signal: AbortSignal): Promise<void>;
  /** Whether somebody may push to the repository; false for whom the forge does not know. */
  mayPush(repository: Forge, user: ForgeUser, signal: AbortSignal): Promise<boolean>;
  /** Puts up a release under its tag, or changes the one that is there. Missing where docker-ci does not. */
  release?(repository: Forge, release: ForgeRelease, signal: AbortSignal): Promise<void>;
  /** Writes one comment for each `key`, edited in place later. */
  comment(repository: Forge, pullRequest: number, key: string, markdown: string, signal: AbortSignal): Promise<void>;
}

/** What a webhook said. */
export type Heard =
  | {
      readonly kind: "changes";
      readonly delivery: string;
      /** The signature, where the delivery's id is not under it: the same under another id is a replay. */
      readonly signature?: string;
      readonly changes: readonly Change[];
    }
  /** Understood, and nothing to do: a ping, a deleted branch, an event that is none of ours. */
  | { readonly kind: "nothing"; readonly reason: string }
  | { readonly kind: "refused"; readonly status: 400 | 401 | 404 | 413; readonly reason: string };

/** A webhook as it came in: nothing of it is believed before its signature. */
export interface HookRequest {
  readonly headers: Headers;
  /** As it was sent, which is what was signed. */
  readonly body: Buffer;
  readonly config: HookConfig;
  readonly now: Date;
}

export type HookConfig = Pick<Config, "projects" | "github" | "gitea" | "gitlab">;

/** Reads a webhook of one kind of forge. Throws for nothing that may be in it. */
export type ReadHook = (request: HookRequest) => Heard;
