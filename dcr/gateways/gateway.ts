/** The port to whatever sends requests for a domain to its backends. */
import { RuntimeError } from "../../src/errors.ts";
import type { State } from "./frontend.ts";

export interface Gateway extends AsyncDisposable {
  /** `hipache 10.0.0.5:6379`. */
  readonly name: string;
  /** @throws RuntimeError when it does not answer. */
  read(domain: string): Promise<State>;
  /**
   * Puts `next` in place of `expected` in one step: nobody sees anything between them.
   * @returns whether it did; not when somebody else was faster and `expected` is no longer true.
   */
  commit(domain: string, expected: State, next: State): Promise<boolean>;
}

/** How often somebody else may be faster. */
const ATTEMPTS = 20;

/** Reads, changes and commits, again where somebody else came in between. @returns what was and what is. */
export async function change(
  gateway: Gateway,
  domain: string,
  make: (state: State) => State,
): Promise<{ readonly before: State; readonly after: State }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await gateway.read(domain);
    const after = make(before);
    if (await gateway.commit(domain, before, after)) return { before, after };
  }
  throw new RuntimeError(`${gateway.name} is changed by others all the time; ${domain} is as they left it`);
}
