/** The port by which a worker's files come to the bot: its page, or a bucket. */
import type { LeftFile, Owner } from "./places.ts";

/** Which attempt at a build made them: of another one nothing is taken. */
export interface Sent extends Owner {
  readonly attempt: number;
}

/** Another attempt at the build has begun: nobody wants these files any more. */
export class SupersededError extends Error {
  override readonly name = "SupersededError";
}

/**
 * Calls may be repeated and mean the same. All throw SupersededError, a RuntimeError with a phrase that says why not, or the
 * signal's reason.
 */
export interface Depot {
  /** For people: `https://ci.example.org`, `s3://ci-files`. */
  readonly name: string;
  /** Whether this worker may bring anything there. @param worker its name. */
  greet(worker: string, signal: AbortSignal): Promise<void>;
  /** What earlier attempts sent goes. */
  begin(sent: Sent, signal: AbortSignal): Promise<void>;
  /** One file, whole or not at all. @param sha256 in lower-case hexadecimal. */
  put(sent: Sent, file: LeftFile & { readonly sha256: string }, signal: AbortSignal): Promise<void>;
  /** Brings the results of another build into this data folder, to be compared with. Nothing where there are none. */
  fetchResults(owner: Sent, dataDir: string, signal: AbortSignal): Promise<void>;
}
