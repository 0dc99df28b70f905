/** Work in lanes: one after another in each, and only so many lanes at a time. */

export interface Lanes {
  /** Does the work when it is its turn; work of one lane keeps the order in which it came. */
  run<T>(lane: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when all that was given so far is over. */
  idle(): Promise<void>;
}

export function createLanes(atATime: number): Lanes {
  const tails = new Map<string, Promise<unknown>>();
  const waiting: (() => void)[] = [];
  let free = atATime;

  async function enter(): Promise<void> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    run<T>(lane: string, work: () => Promise<T>): Promise<T> {
      const before = tails.get(lane) ?? Promise.resolve();
      const result = before.then(async () => {
        await enter();
        try {
          return await work();
        } finally {
          leave();
        }
      });
      const tail = result.then(
        () => undefined,
        () => undefined /* whoever gave the work hears of it */,
      );
      tails.set(lane, tail);
      void tail.then(() => {
        if (tails.get(lane) === tail) tails.delete(lane);
      });
      return result;
    },
    async idle() {
      await Promise.all(tails.values());
    },
  };
}
