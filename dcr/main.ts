#!/usr/bin/env node
/** `dcr`, the docker-container-runner: the process around the command line. */
import { createInterface } from "node:readline/promises";
import { dcr, EXIT } from "./command-line.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // The second one ends the process as it would without us.
  process.once(signal, () => interrupted.abort());
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `dcr … logs | head`: who reads has gone.
    process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
  });
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question, { signal: interrupted.signal });
  } finally {
    terminal.close();
  }
}

process.exitCode = await dcr(process.argv.slice(2), {
  cwd: process.cwd(),
  environment: process.env,
  output: process.stdout,
  errors: process.stderr,
  ask: process.stdin.isTTY === true ? ask : undefined,
  signal: interrupted.signal,
});
