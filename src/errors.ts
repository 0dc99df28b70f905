/** The three kinds of trouble: the user's, the configuration's, ours. A failing test is a result, never an error. */

/** Something a person asked for that cannot be done. The message is one whole sentence, shown to them as it is. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** A configuration or pipeline file that cannot be used; `problems` are whole lines, one for each mistake. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(summary: string, problems: readonly string[], options?: ErrorOptions) {
    super([summary, ...problems.map((problem) => `  ${problem}`)].join("\n"), options);
    this.problems = problems;
  }
}

/**
 * The machinery broke: an engine, a git server, Redis, a chat. The message is one sentence for people (it may be shown
 * in a room), the cause is for the log.
 */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  /** Whether the same work may succeed if it is tried again. */
  readonly retryable: boolean;

  constructor(message: string, options?: ErrorOptions & { retryable?: boolean }) {
    super(message, options);
    this.retryable = options?.retryable ?? true;
  }
}

/** The message of anything that was thrown, with the messages of its causes behind it, unless it has them in it already. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // What Node's fetch says of every failure; why is its cause.
  if (thrown.message === "fetch failed" && thrown.cause !== undefined) return describeError(thrown.cause);
  const cause = thrown.cause === undefined ? "" : describeError(thrown.cause);
  return thrown.message.includes(cause) ? thrown.message : `${thrown.message}: ${cause}`;
}
