/** The program's own log, kept in memory. */
import { type Logger, pino } from "pino";
import { z } from "zod";

const Entry = z.looseObject({ level: z.number(), msg: z.string().default("") });
export type LogEntry = z.infer<typeof Entry>;

export interface CapturedLog {
  readonly log: Logger;
  /** Entries of that level and above; 30 is info, 40 warn, 50 error. */
  entries(level?: number): LogEntry[];
}

export function capturedLog(): CapturedLog {
  const lines: string[] = [];
  const log = pino({ base: null, level: "debug" }, { write: (line: string) => lines.push(line) });
  return {
    log,
    entries: (level = 0) => lines.map((line) => Entry.parse(JSON.parse(line))).filter((entry) => entry.level >= level),
  };
}
