/** What the end of a container means, in words. An exit code alone does not say who killed a program, and why. */
import type { ContainerExit, ContainerLimits } from "../runtime.ts";
import { formatBytes, formatDuration } from "../units.ts";

/** Why docker-ci itself stopped a container. */
export type StopReason =
  | { readonly kind: "time"; readonly limitMs: number; readonly whole: "step" | "build" }
  | { readonly kind: "silence"; readonly limitMs: number }
  | { readonly kind: "disk"; readonly limitBytes: number };

/** Exit codes with a meaning of their own: 126 and 127 by the shell (POSIX, 2.8.2), above 128 a signal. */
const SIGNALS: Readonly<Record<number, string>> = {
  129: "SIGHUP",
  130: "SIGINT",
  131: "SIGQUIT",
  132: "SIGILL",
  134: "SIGABRT",
  135: "SIGBUS",
  136: "SIGFPE",
  139: "SIGSEGV",
  141: "SIGPIPE",
  143: "SIGTERM",
};

/** `time limit 10m00s of the step passed`, `silent for 20m00s (idle limit)`: one phrase, as src/why knows them again. */
export function stopMeaning(stopped: StopReason): string {
  switch (stopped.kind) {
    case "time":
      return `time limit ${formatDuration(stopped.limitMs)} of the ${stopped.whole} passed`;
    case "silence":
      return `silent for ${formatDuration(stopped.limitMs)} (idle limit)`;
    case "disk":
      return `disk limit ${formatBytes(stopped.limitBytes)} passed`;
    default:
      return stopped satisfies never;
  }
}

/** `exit 1`, `out of memory (limit 4 GB)`, `time limit 10m passed`: one phrase for the log, the page and the chat. */
export function exitMeaning(exit: ContainerExit, limits: ContainerLimits, stopped: StopReason | undefined): string {
  if (stopped !== undefined) return stopMeaning(stopped);
  const { exitCode, outOfMemory } = exit;
  if (exitCode === 137) {
    return outOfMemory
      ? `out of memory (limit ${formatBytes(limits.memoryBytes)})`
      : "exit 137: killed by SIGKILL from within its container; not for memory, not by docker-ci";
  }
  const memory = outOfMemory ? `; a process in it ran out of memory (limit ${formatBytes(limits.memoryBytes)})` : "";
  if (exitCode === 126) return `exit 126: the command cannot be executed${memory}`;
  if (exitCode === 127) return `exit 127: command not found${memory}`;
  const signal = SIGNALS[exitCode];
  return `exit ${exitCode}${signal === undefined ? "" : `: ended by ${signal}`}${memory}`;
}
