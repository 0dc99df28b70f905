/** Signals, and errors that nobody caught. */
import type { Logger } from "pino";

/** SIGTERM is what `docker stop` and systemd send, SIGINT is Ctrl-C. @returns the way to stop listening. */
export function onSignals(listener: (signal: NodeJS.Signals) => void): () => void {
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/**
 * A rejection that a library left lying about is logged and survived: everything that matters is in Redis, and a bot that is up
 * helps more than one that is not. An exception out of nowhere ends the process; what it was at is adopted by the next start.
 */
export function catchStrays(log: Logger): void {
  process.on("unhandledRejection", (error) => log.error({ err: error }, "a rejection nobody handled"));
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "an exception nobody caught; stopping");
    process.stderr.write(`docker-ci: ${error.stack ?? error.message}\n`);
    process.exit(70);
  });
}
