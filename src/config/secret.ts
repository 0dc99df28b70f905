/** A value that must not be seen. */
import { inspect } from "node:util";

const SHOWN = "[secret]";

/** Prints as `[secret]` wherever it is joined, logged, inspected or made JSON; only `reveal` gives it away. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: for the call that needs it, and for masking it in logs. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
