/** What Bolt has to say, in our log. Its faults come to us as values too, so nothing of it is above a warning. */
import type { Logger, LogLevel } from "@slack/bolt";
import type { Logger as PinoLogger } from "pino";

/** @param level `INFO` of the library's enum; at DEBUG it would log the text of every message. */
export function boltLogger(log: PinoLogger, level: LogLevel): Logger {
  const words = (parts: readonly unknown[]): string => parts.map(String).join(" ");
  return {
    debug: () => {
      // Every frame and every request.
    },
    info: (...parts) => log.debug({ bolt: words(parts) }, "Bolt says"),
    warn: (...parts) => log.debug({ bolt: words(parts) }, "Bolt warns"),
    error: (...parts) => log.debug({ bolt: words(parts) }, "Bolt reports an error"),
    getLevel: () => level,
    setLevel: () => {
      // It is what it is.
    },
    setName: () => {
      // The network's name is in the log.
    },
  };
}
