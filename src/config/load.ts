/** From `docker-ci.yml` and the environment to the configuration that the rest of the program is given. */
import { readFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { ConfigError } from "../errors.ts";
import { isMissing } from "../missing.ts";
import { type KeyPath, parseYaml } from "../yaml.ts";
import { crossCheck } from "./cross-checks.ts";
import { type Environment, fillIn, fromEnvironment } from "./environment.ts";
import type { Listen, RedisConfig } from "./listen.ts";
import type { IrcNetwork } from "./networks.ts";
import { isKeyFile, type ReleaseConfig } from "./releases.ts";
import { type Forge, hostedForgeOf, isPath } from "./repository.ts";
import { ConfigFile } from "./schema.ts";
import type { Config } from "./shape.ts";
import { WORKER_NAME } from "./worker.ts";

export interface Surroundings {
  /** PORT, REDIS_URL and DOCKER_HOST stand in for keys that the file does not have. */
  readonly env: Environment;
  /** What relative paths start from where there is no file. */
  readonly cwd: string;
}

const DEFAULT_FILE = "docker-ci.yml";
const DEFAULT_LISTEN: Listen = { host: "127.0.0.1", port: 8000 };

/**
 * Reads `$DOCKER_CI_CONFIG`, else `docker-ci.yml` in `cwd`; neither is a valid configuration too.
 * @throws ConfigError with all problems; also when the file that the variable names cannot be read.
 */
export async function loadConfig({ env, cwd }: Surroundings): Promise<Config> {
  const named = env.DOCKER_CI_CONFIG;
  const file = resolve(cwd, named === undefined || named === "" ? DEFAULT_FILE : named);
  try {
    return parseConfig(await readFile(file, "utf8"), { file, env, cwd });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const isAbsent = isMissing(error);
    if (isAbsent && (named === undefined || named === "")) return parseConfig("", { file: undefined, env, cwd });
    const reason = isAbsent ? "there is no such file" : error instanceof Error ? error.message : String(error);
    const source = named === undefined || named === "" ? "" : " (named by DOCKER_CI_CONFIG)";
    throw new ConfigError("The configuration cannot be read:", [`${file}${source}: ${reason}`], { cause: error });
  }
}

/**
 * The configuration of one file's text; reads nothing else.
 * @param file its absolute path, `undefined` for no file. @throws ConfigError with all problems.
 */
export function parseConfig(
  text: string,
  { file, env, cwd }: Surroundings & { readonly file: string | undefined },
): Config {
  const shownFile = file === undefined ? DEFAULT_FILE : shownPath(file, cwd);
  const written = parseYaml(text, {
    file: shownFile,
    schema: ConfigFile,
    prepare: (value) => {
      const filled = fillIn(withoutEmptyKeys(value), env);
      if (!isMapping(filled.value)) return filled;
      const given = fromEnvironment(env, filled.value);
      return { value: { ...filled.value, ...given.values }, problems: [...filled.problems, ...given.problems] };
    },
    crossCheck,
    isSensitive,
  });
  return toConfig(written, { file, env, cwd });
}

function toConfig(written: ConfigFile, at: Surroundings & { readonly file: string | undefined }): Config {
  const base = at.file === undefined ? at.cwd : dirname(at.file);
  const absolute = (path: string) => resolve(base, path.replace(/^~(?=\/|$)/, at.env.HOME ?? homedir()));
  const listenAt = written.listen ?? DEFAULT_LISTEN;
  return {
    file: at.file,
    deployment: written.deployment,
    url: written.url ?? `http://localhost:${listenAt.port}`,
    listen: listenAt,
    dataDir: absolute(written.data),
    redis: toRedis(written, absolute),
    engine: written.engine,
    concurrency: written.concurrency,
    labels: written.labels,
    workerName: written.worker_name ?? hostWorkerName(),
    workerToken: written.worker_token,
    store: written.store,
    prefix: written.prefix,
    timezone: written.timezone,
    web: written.web,
    irc: written.irc.map((network) => ({ ...network, tls: withAbsoluteCa(network.tls, absolute) })),
    slack: written.slack,
    console: written.console,
    people: written.people,
    defaultRoles: written.default_roles,
    notify: written.notify,
    mail: written.mail?.ca === undefined ? written.mail : { ...written.mail, ca: absolute(written.mail.ca) },
    github: written.github,
    gitea: written.gitea,
    gitlab: written.gitlab,
    hooks: written.hooks,
    projects: new Map(
      [...written.projects].map(([name, project]) => [
        name,
        {
          ...project,
          repo: withAbsolutePath(project.repo, absolute),
          forge: project.forge ?? ownForge(project.repo, written),
        },
      ]),
    ),
    schedules: written.schedules,
    releases: new Map([...written.releases].map(([name, release]) => [name, withAbsoluteKey(release, absolute)])),
    backup: written.backup,
    report: written.report,
    retention: written.retention,
  };
}

function toRedis({ redis, redis_tls: tls }: ConfigFile, absolute: (path: string) => string): RedisConfig {
  if (redis === undefined || redis.kind === "embedded") return { kind: "embedded" };
  if (tls === undefined) return redis;
  const path = (given: string | undefined) => (given === undefined ? undefined : absolute(given));
  return { ...redis, tls: { ca: path(tls.ca), cert: path(tls.cert), key: path(tls.key) } };
}

/** A host may be called what no worker is. */
function hostWorkerName(): string {
  const name = hostname().slice(0, 63);
  return WORKER_NAME.test(name) ? name : "worker";
}

function withAbsoluteCa(tls: IrcNetwork["tls"], absolute: (path: string) => string): IrcNetwork["tls"] {
  return tls === false || tls.ca === undefined ? tls : { ...tls, ca: absolute(tls.ca) };
}

function withAbsoluteKey(release: ReleaseConfig, absolute: (path: string) => string): ReleaseConfig {
  const { gpgKey } = release;
  return gpgKey === undefined || !isKeyFile(gpgKey) ? release : { ...release, gpgKey: absolute(gpgKey) };
}

function ownForge(repo: string, { gitea, gitlab }: Pick<ConfigFile, "gitea" | "gitlab">): Forge | undefined {
  return isPath(repo) ? undefined : (hostedForgeOf(repo, "gitea", gitea) ?? hostedForgeOf(repo, "gitlab", gitlab));
}

function withAbsolutePath(repo: string, absolute: (path: string) => string): string {
  return isPath(repo) ? absolute(repo) : repo;
}

/** `projects:` with every entry commented out is null in YAML; it means the same as no key. */
function withoutEmptyKeys(value: unknown): unknown {
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null));
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands at such a key may be a secret written out, even when it is none that could be used. */
function isSensitive(path: KeyPath): boolean {
  return (
    path[0] === "redis" ||
    path.includes("secrets") ||
    path.includes("tokens") ||
    /password|token|secret|passphrase|access_key/.test(String(path.at(-1)))
  );
}

function shownPath(file: string, cwd: string): string {
  const shown = relative(cwd, file);
  return shown === "" || shown.startsWith("..") || isAbsolute(shown) ? file : shown;
}
