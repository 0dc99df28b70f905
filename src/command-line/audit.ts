/** `docker-ci audit verify`: whether the audit log is whole. */
import { createAudit } from "../audit/audit.ts";
import type { Verdict } from "../audit/verify.ts";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { formatCount } from "../units.ts";
import { withRedis } from "./with-redis.ts";

/** @returns 0 for a whole chain, else 1. @throws ConfigError, and RuntimeError when Redis does not answer. */
export async function verifyAudit(): Promise<number> {
  const config = await loadConfig({ env: process.env, cwd: process.cwd() });
  const verdict = await withRedis(config, (redis) => createAudit(redis, systemClock).verify());
  process.stdout.write(`${describeVerdict(verdict)}\n`);
  return verdict.ok ? 0 : 1;
}

/** The hash is for comparing: a chain that was forged anew ends in another one than the log of docker-ci says. */
function describeVerdict(verdict: Verdict): string {
  if (!verdict.ok) return `✘ entry ${formatCount(verdict.at)} does not fit: ${verdict.reason}`;
  const { count, newest } = verdict;
  if (count === 0) return "✔ no entries yet";
  return `✔ ${formatCount(count)} ${count === 1 ? "entry" : "entries"}, chain whole (the newest is ${newest})`;
}
