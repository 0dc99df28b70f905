/** Looking again and again, one look at a time: a clock that is set, or a process that was stopped, makes no difference to it. */
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_MS = 20_000;

/** @param look never throws. Disposing waits a moment for the look that is under way. */
export function lookAgainAndAgain(look: () => Promise<void>, everyMs = LOOK_MS): AsyncDisposable {
  let looking: Promise<void> | undefined;
  const once = (): void => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  };
  const timer = setInterval(once, everyMs);
  timer.unref();
  once();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await Promise.race([looking, sleep(1_000, undefined, { ref: false })]);
    },
  };
}
