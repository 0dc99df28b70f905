/** The program's own log: constant phrases with fields, one JSON object a line. */
import { join } from "node:path";
import { type Logger, pino } from "pino";

/**
 * To standard output where a supervisor collects it; to a file in the data folder where standard output is somebody's terminal
 * or a pipe of answers.
 */
export function openLogger(
  to: { readonly kind: "stdout" } | { readonly kind: "file"; readonly dataDir: string },
): Logger {
  const options = {
    base: null,
    // The last: an error of ioredis has the words of its command with it, AUTH's too.
    redact: ["password", "*.password", "token", "*.token", "*.command.args"],
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (to.kind === "stdout") return pino(options);
  const dest = join(to.dataDir, "docker-ci", "docker-ci.log");
  return pino(options, pino.destination({ dest, mkdir: true, sync: true }));
}
