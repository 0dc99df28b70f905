/** `$NAME` in the configuration: values that the environment gives. */
import type { z } from "zod";
import type { KeyPath, Problem } from "../yaml.ts";
import { deployment } from "./deployment.ts";
import { engineAddress, listen, redisUrl } from "./listen.ts";
import { secret, text } from "./scalars.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** `$$`, `$NAME` or `${NAME}`; every other dollar stands for itself. */
const VARIABLE = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})/g;

/**
 * Puts values of the environment into every text, whole or inside; keys stay as they are. A variable that is not set is a
 * problem, because an empty password or bucket does harm only much later (O-18). Pipelines are left alone: a dollar in
 * them is the shell's.
 */
export function fillIn(
  value: unknown,
  env: Environment,
): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const filled = (part: unknown, path: KeyPath): unknown => {
    if (isForShells(path)) return part;
    if (typeof part === "string")
      return fillText(part, env, (name) => problems.push({ path, message: `$${name} is not set` }));
    if (Array.isArray(part)) return part.map((entry: unknown, index) => filled(entry, [...path, index]));
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, entry]) => [key, filled(entry, [...path, key])]));
  };
  return { value: filled(value, []), problems };
}

function fillText(text: string, env: Environment, onUnset: (name: string) => void): string {
  return text.replaceAll(VARIABLE, (_whole, dollar?: string, bare?: string, braced?: string) => {
    if (dollar !== undefined) return "$";
    const name = bare ?? braced ?? "";
    const value = env[name];
    if (value === undefined) onUnset(name);
    return value ?? "";
  });
}

/** Steps: what stands there as $NAME is for the shell that runs them. */
function isForShells(path: KeyPath): boolean {
  const [section, , key] = path;
  if (path.length !== 3) return false;
  return (section === "projects" && key === "pipeline") || (section === "releases" && key === "smoke_test");
}

interface Stand {
  readonly variable: string;
  readonly key: string;
  readonly schema: z.ZodType;
  readonly toText: (value: string) => string;
  /** How a wrong value is told. */
  readonly complaint: (value: string) => string;
}

/** Variables that are often set already, and the keys they stand in for. */
const STANDS: readonly Stand[] = [
  {
    variable: "PORT",
    key: "listen",
    schema: listen,
    // A port in the file opens the page to the network; one from the environment is not meant to.
    toText: (port) => `127.0.0.1:${port}`,
    complaint: (value) => `found ${JSON.stringify(value)}, allowed: a port such as 8000`,
  },
  {
    variable: "DOCKER_CI_LISTEN",
    key: "listen",
    schema: listen,
    toText: String,
    complaint: (value) => `found ${JSON.stringify(value)}, allowed: a port such as 8000, or an address with a port`,
  },
  {
    variable: "DOCKER_CI_DATA",
    key: "data",
    schema: text("a folder"),
    toText: String,
    complaint: (value) => `found ${JSON.stringify(value)}, allowed: a folder`,
  },
  {
    variable: "REDIS_URL",
    key: "redis",
    schema: redisUrl,
    toText: String,
    complaint: () => "found something else, allowed: an address such as redis://:password@host:6379/0",
  },
  {
    variable: "WORKER_TOKEN",
    key: "worker_token",
    schema: secret,
    toText: String,
    complaint: () => "found an empty text, allowed: a token",
  },
  {
    variable: "DOCKER_HOST",
    key: "engine",
    schema: engineAddress,
    toText: String,
    complaint: (value) => `found ${JSON.stringify(value)}, allowed: an address such as unix:///var/run/docker.sock`,
  },
  {
    variable: "DEPLOYMENT",
    key: "deployment",
    schema: deployment,
    toText: String,
    complaint: (value) => `found ${JSON.stringify(value)}, allowed: production, staging or local`,
  },
];

/** Values that the environment gives, by variables of their own, for keys that `written` lacks. An empty variable is none. */
export function fromEnvironment(
  env: Environment,
  written: Readonly<Record<string, unknown>>,
): {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
} {
  const values: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const { variable, key, schema, toText, complaint } of STANDS) {
    const value = env[variable];
    if (value === undefined || value === "" || (written[key] ?? values[key]) !== undefined) continue;
    if (schema.safeParse(toText(value)).success) values[key] = toText(value);
    else problems.push({ path: [key], message: `${complaint(value)} (from the variable ${variable})` });
  }
  return { values, problems };
}
