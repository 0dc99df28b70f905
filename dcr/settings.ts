/** `settings.yml`: clusters of hosts, and the gateways in front of them (O-156). */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { fillIn } from "../src/config/environment.ts";
import { flag, mapping, oneOrMany, scalar, section, text, textLike } from "../src/config/scalars.ts";
import { Secret } from "../src/config/secret.ts";
import { UserError } from "../src/errors.ts";
import { didYouMean, nearest } from "../src/nearest.ts";
import { type KeyPath, parseYaml } from "../src/yaml.ts";
import { DAEMON_EXAMPLES, type Endpoint, parseEndpoint } from "./endpoint.ts";
import type { Environment } from "./environment.ts";
import { isDomain } from "./gateways/domain.ts";
import { parseRedisAddress, REDIS_EXAMPLES, type RedisAddress } from "./gateways/redis-address.ts";
import { isLogin, LOGIN_EXAMPLES } from "./registry-login.ts";

/** PEM files, absolute. */
export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface DaemonSettings {
  /** As it is called in tables. */
  readonly name: string;
  /** Where gateways reach the ports that it publishes. */
  readonly host: string;
  readonly endpoint: Endpoint;
  readonly tls: TlsFiles | undefined;
}

export type GatewaySettings =
  | { readonly kind: "hipache"; readonly address: RedisAddress }
  | { readonly kind: "traefik"; readonly address: RedisAddress; readonly options: TraefikOptions };

export interface TraefikOptions {
  /** Traefik's `rootKey`. */
  readonly root: string;
  readonly entrypoints: readonly string[];
  readonly tls: boolean;
  readonly certresolver?: string | undefined;
}

export interface Cluster {
  readonly name: string;
  readonly daemons: readonly DaemonSettings[];
  readonly gateways: readonly GatewaySettings[];
  readonly baseDomains: readonly string[];
  readonly registryLogin: Secret | undefined;
}

const DEFAULT_CLUSTER = "default";

const endpoint = scalar(DAEMON_EXAMPLES, parseEndpoint);
const redisAddress = scalar(REDIS_EXAMPLES, parseRedisAddress);
const hostName = textLike(/^(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[?[0-9A-Fa-f:.]+\]?)$/, "a host name or an address");
const userName = textLike(/^[A-Za-z_][\w.-]*$/, "a user's name");
/** `"False"` stands in the first settings files. */
const anyCaseFlag = z.preprocess((value) => (typeof value === "string" ? value.toLowerCase() : value), flag);
const tls = section({ ca: text("a file").optional(), cert: text("a file").optional(), key: text("a file").optional() });

const daemon = z.union(
  [
    endpoint.transform((address) => ({ address, name: undefined, host: undefined, tls: undefined })),
    section({ address: endpoint, name: text("a name").optional(), host: hostName.optional(), tls: tls.optional() }),
  ],
  { error: `${DAEMON_EXAMPLES}, or a mapping with address, name, host, tls` },
);

const traefikOptions = {
  root: textLike(/^[\w.-]+(?:\/[\w.-]+)*$/, "Traefik's rootKey").default("traefik"),
  entrypoints: oneOrMany(text("an entry point of Traefik's"), "entry points").default([]),
  tls: flag.default(false),
  certresolver: text("a certificate resolver of Traefik's").optional(),
};

const traefik = z.union(
  [
    redisAddress.transform((address) => ({ address, ...section(traefikOptions).parse({}) })),
    section({ address: redisAddress, ...traefikOptions }),
  ],
  { error: `${REDIS_EXAMPLES}, or a mapping with address, root, entrypoints, tls, certresolver` },
);

const Written = section({
  daemons: oneOrMany(daemon, "daemons"),
  hipaches: oneOrMany(redisAddress, "addresses").default([]),
  traefiks: oneOrMany(traefik, "addresses").default([]),
  base_domain: oneOrMany(
    scalar("a domain such as example.org", (value) => (isDomain(value) ? value : undefined)),
    "domains",
  ).default([]),
  use_ssh: anyCaseFlag.optional(),
  ssh_user: userName.optional(),
  tls: tls.optional(),
  registry_login: scalar(LOGIN_EXAMPLES, (value) => (isLogin(value) ? new Secret(value) : undefined)).optional(),
});
type Written = z.output<typeof Written>;

const File = mapping(
  z.string(),
  Written,
  "a mapping of clusters: a name (default), and below it daemons, hipaches and so on",
);

/**
 * One cluster of a settings file; `default`, or the only one, where none is named.
 * @param file its path as it is shown, `path` where it lies. @throws ConfigError, UserError for a cluster that is not there.
 */
export function parseSettings(
  source: string,
  { file, path, cluster, environment }: { file: string; path: string; cluster?: string; environment: Environment },
): Cluster {
  const written = parseYaml(source, {
    file,
    schema: File,
    // A login is put together from the environment when it is needed, by its parts.
    prepare: (value) => fillInAllButLogins(value, environment),
    crossCheck: (value) =>
      typeof value === "object" && value !== null && Object.keys(value).length === 0
        ? [{ path: [], message: "there is no cluster in this file" }]
        : [],
    isSensitive,
  });
  const names = Object.keys(written);
  const name = cluster ?? (names.length === 1 ? names[0] : undefined) ?? DEFAULT_CLUSTER;
  const found = Object.hasOwn(written, name) ? written[name] : undefined;
  if (found === undefined) {
    const hint = didYouMean(nearest(name, names, 1));
    throw new UserError(`${file} has no cluster ${name}. ${hint === "" ? `There are ${names.join(", ")}.` : hint}`);
  }
  return toCluster(name, found, dirname(path));
}

function toCluster(name: string, written: Written, folder: string): Cluster {
  const throughSsh = (address: RedisAddress): RedisAddress =>
    written.use_ssh === true && address.kind === "plain" ? { ...address, ssh: { user: written.ssh_user } } : address;
  return {
    name,
    daemons: named(written.daemons.map((entry) => toDaemon(entry, written, folder))),
    gateways: [
      ...written.hipaches.map((address) => ({ kind: "hipache" as const, address: throughSsh(address) })),
      ...written.traefiks.map(({ address, ...options }) => ({
        kind: "traefik" as const,
        address: throughSsh(address),
        options,
      })),
    ],
    baseDomains: written.base_domain,
    registryLogin: written.registry_login,
  };
}

function toDaemon(entry: Written["daemons"][number], written: Written, folder: string): DaemonSettings {
  const files = entry.tls ?? written.tls;
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(folder, path));
  const reached = entry.address.toEndpoint({
    useSsh: written.use_ssh,
    sshUser: written.ssh_user,
    tls: files !== undefined,
  });
  const host = entry.host ?? ("host" in reached ? reached.host : "127.0.0.1");
  return {
    name: entry.name ?? entry.host ?? ("host" in reached ? reached.host : "local"),
    host,
    endpoint: reached,
    tls:
      files === undefined
        ? undefined
        : { ca: absolute(files.ca), cert: absolute(files.cert), key: absolute(files.key) },
  };
}

/** Two of one name are told apart by their number. */
function named(daemons: readonly DaemonSettings[]): readonly DaemonSettings[] {
  return daemons.map((daemon, index) => {
    const before = daemons.slice(0, index).filter(({ name }) => name === daemon.name).length;
    return before === 0 ? daemon : { ...daemon, name: `${daemon.name}#${before + 1}` };
  });
}

function fillInAllButLogins(value: unknown, environment: Environment): ReturnType<typeof fillIn> {
  const { value: filled, problems } = fillIn(value, environment);
  const isLoginKey = (path: KeyPath) => path.at(-1) === "registry_login";
  if (typeof value !== "object" || value === null || typeof filled !== "object" || filled === null)
    return { value: filled, problems };
  const clusters = Object.entries(filled).map(([name, cluster]: [string, unknown]) => {
    const original: unknown = Reflect.get(value, name);
    if (typeof cluster !== "object" || cluster === null || typeof original !== "object" || original === null)
      return [name, cluster];
    const login: unknown = Reflect.get(original, "registry_login");
    return [name, login === undefined ? cluster : { ...cluster, registry_login: login }];
  });
  return { value: Object.fromEntries(clusters), problems: problems.filter(({ path }) => !isLoginKey(path)) };
}

function isSensitive(path: KeyPath): boolean {
  return ["registry_login", "hipaches", "traefiks"].some((key) => path.includes(key));
}
