/** `docker-ci health`: whether the docker-ci of this configuration answers; for a container's health check, and for systemd. */
import { loadConfig } from "../config.ts";
import { describeError } from "../errors.ts";

const PATIENCE_MS = 5_000;

/** @returns the exit status. @param say a sentence when it does not answer, or answers that something is missing. */
export async function health(say: (text: string) => void): Promise<number> {
  const { listen } = await loadConfig({ env: process.env, cwd: process.cwd() });
  const host = listen.host === "0.0.0.0" || listen.host === "::" ? "127.0.0.1" : listen.host;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${listen.port}/healthz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) return 0;
    say(`${url} answers ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  } catch (error) {
    say(`${url} does not answer (${describeError(error)})`);
  }
  return 1;
}
