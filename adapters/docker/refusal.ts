/** What the Engine answers in place of what it was asked for. */
import { z } from "zod";
import { RuntimeError } from "../../src/errors.ts";

const Thrown = z.object({
  statusCode: z.number().optional(),
  code: z.string().optional(),
  syscall: z.string().optional(),
  message: z.string().default(""),
  json: z.object({ message: z.string() }).nullish().catch(undefined),
});

/** The Engine was reached and said no. `status` is HTTP's. */
export class Refusal extends RuntimeError {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(`the Docker Engine refuses: ${message}`, { ...options, retryable: status >= 500 });
    this.status = status;
  }

  /** Reads an error of dockerode or of the socket: a status, or how the connection broke (`connect ENOENT`). */
  static parse(error: unknown): { status: number | undefined; text: string; broken: string | undefined } {
    const { statusCode, code, syscall, message, json } = Thrown.catch({ message: String(error) }).parse(error);
    // dockerode: `(HTTP code 404) no such container - No such container: x `.
    const said = json?.message ?? message.replace(/^\(HTTP code \d+\) [^-]* - /, "");
    const broken = syscall !== undefined && code !== undefined ? `${syscall} ${code}` : code && message;
    // Whatever answers without a reason is seldom an Engine: a proxy, or another service on that port.
    const text = said.trim() || (statusCode === undefined ? "" : `status ${statusCode}, without a reason`);
    return { status: statusCode, text, broken };
  }
}

/** The value, or what `statuses` stand for when the Engine refuses with one of them. */
export async function unless<T, U>(request: Promise<T>, statuses: readonly number[], otherwise: U): Promise<T | U> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof Refusal && statuses.includes(error.status)) return otherwise;
    throw error;
  }
}
