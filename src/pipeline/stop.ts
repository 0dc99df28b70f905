/** Why work on a build was given up before its end; carried as the reason of its AbortSignal. */

/** A person, or a newer build, does not want it any more. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
  readonly by: string;
  readonly reason: string | undefined;

  constructor(by: string, reason: string | undefined) {
    super(`cancelled by ${by}${reason === undefined ? "" : `: ${reason}`}`);
    this.by = by;
    this.reason = reason;
  }
}

/** This process stops; containers stay as they are, for the next one to go on with. */
export class HandedOver extends Error {
  override readonly name = "HandedOver";
}
