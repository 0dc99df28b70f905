/** What a test can let go wrong in the Web API, by method; `*` means every method. */
export type Fault =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "error"; readonly error: string }
  | { readonly kind: "limited"; readonly seconds: number }
  /** Never answers. */
  | { readonly kind: "hang" }
  | { readonly kind: "garbage"; readonly body: string }
  /** Does it, and closes the connection without an answer. */
  | { readonly kind: "lost" };

export class Faults {
  readonly #staged = new Map<string, { readonly fault: Fault; times: number }>();

  /** The next `times` calls of the method go wrong. */
  stage(method: string, fault: Fault, times = 1): void {
    this.#staged.set(method, { fault, times });
  }

  clear(): void {
    this.#staged.clear();
  }

  take(method: string): Fault | undefined {
    for (const name of [method, "*"]) {
      const staged = this.#staged.get(name);
      if (staged === undefined || staged.times <= 0) continue;
      staged.times -= 1;
      return staged.fault;
    }
    return undefined;
  }
}
