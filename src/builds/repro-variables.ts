/** What may be told of a build's variables. */
import { createMask, type Mask } from "../pipeline/masking.ts";
import { shellQuote } from "./shell-quote.ts";

/** Keeps secrets out, and remembers which variables somebody else has to set for that. */
export class Discretion {
  readonly #withheld = new Set<string>();
  readonly #mask: Mask;

  constructor(secrets: readonly string[]) {
    this.#mask = createMask(secrets);
  }

  /** Names, in the order in which they were asked about. */
  get withheld(): string[] {
    return [...this.#withheld];
  }

  /** With `***` where a secret stands. */
  text(text: string): string {
    return this.#mask.text(text);
  }

  /** `-e NAME=value`; of a value that is not to be told, or of `undefined`, `-e NAME`, which docker takes from the environment. */
  options(flag: "-e" | "--build-arg", variables: ReadonlyMap<string, string | undefined>): string {
    return [...variables]
      .map(([name, value]) => {
        if (value !== undefined && this.text(value) === value) return ` ${flag} ${shellQuote(`${name}=${value}`)}`;
        this.#withheld.add(name);
        return ` ${flag} ${shellQuote(name)}`;
      })
      .join("");
  }
}
