/** An application file: what runs in a container of which name. Every key, its shape and its default (O-153). */
import { z } from "zod";
import { anyText, duration, flag, mapping, oneOrMany, scalar, section, text, textLike } from "../src/config/scalars.ts";
import { Secret } from "../src/config/secret.ts";
import { type KeyPath, type Problem, parseYaml } from "../src/yaml.ts";
import { fromCmd, splitWords } from "./command.ts";
import { ENVIRONMENT_EXAMPLES, type EnvironmentEntry, parseEnvironmentEntry } from "./environment.ts";
import { LINK_EXAMPLES, type Link, parseLink } from "./links.ts";
import { PORT_EXAMPLES, type PublishedPort, parsePorts, parseRegisteredPort } from "./ports.ts";
import { isLogin, LOGIN_EXAMPLES } from "./registry-login.ts";
import { parseVolume, VOLUME_EXAMPLES, type Volume } from "./volumes.ts";

export interface Application {
  /** Its key in the file. */
  readonly name: string;
  /** The container's name: `container`, else `release_name`, else the application's own. */
  readonly container: string;
  /** What stands first in a frontend's list: `release_name`, else the container's name. */
  readonly release: string;
  /** `undefined`: the container is there already and is not made by `dcr` (`container:`). */
  readonly image: string | undefined;
  /** `undefined`: the image's own. */
  readonly command: readonly string[] | undefined;
  readonly ports: readonly PublishedPort[];
  /** The port that gateways send requests to, `8000/tcp`; one of `ports`. */
  readonly register: string | undefined;
  readonly volumes: readonly Volume[];
  readonly env: readonly EnvironmentEntry[];
  readonly links: readonly Link[];
  readonly registryLogin: Secret | undefined;
  readonly hostname: string | undefined;
  readonly user: string | undefined;
  /** Groups by name or number; a path stands for the group that owns it on the host. */
  readonly groupAdd: readonly string[];
  readonly readOnly: boolean;
  /** Folders in memory: path to mount options. */
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly restart: { readonly name: string; readonly retries: number };
  readonly network: string;
  readonly init: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** What the registered port is asked for before requests are sent to it. */
  readonly health: string;
  readonly healthTimeoutMs: number;
  /** What it is asked for as soon as a domain is switched to it, as the first of its visitors. */
  readonly firstRequest: string | undefined;
}

const CONTAINER_NAME = textLike(
  /^[A-Za-z0-9][A-Za-z0-9_.-]{1,127}$/,
  "a name of two or more letters, digits, '_', '.' and '-'",
);

/** Each entry read by `parse`; one entry may stand for a list of one. */
function entries<T>(allowed: string, parse: (text: string) => T | undefined) {
  return oneOrMany(scalar(allowed, parse), allowed);
}

const words = z
  .union([z.string(), z.array(anyText)], { error: "a text, or a list of words" })
  .transform((value, context) => {
    const split = typeof value === "string" ? splitWords(value) : value;
    if (split !== undefined) return split;
    context.addIssue({ code: "custom", message: "a text whose quotes are closed, or a list of words" });
    return z.NEVER;
  });

const restart = scalar('"no", always, unless-stopped, on-failure or on-failure:5', (value) => {
  const [, name, retries] = /^(no|false|always|unless-stopped|on-failure(?=:|$))(?::(\d{1,4}))?$/.exec(value) ?? [];
  if (name === undefined || (retries !== undefined && name !== "on-failure")) return undefined;
  // YAML 1.1 reads a bare `no` as false.
  return { name: name === "false" ? "no" : name, retries: Number(retries ?? 0) };
});

const tmpfsEntry = scalar(
  'a folder such as "/tmp" or "/tmp:size=64m,mode=1777"',
  (value): [string, string] | undefined => {
    const [, path, options] = /^(\/[^:]+?)\/?(?::(.*))?$/.exec(value) ?? [];
    return path === undefined ? undefined : [path, options ?? ""];
  },
);

const Written = section({
  image: textLike(/^[\w][\w.\-/:@]*$/, "an image such as docker-ci/docker-ci or debian:12").optional(),
  command: words.optional(),
  cmd: z
    .union([z.string().transform((line) => [line]), z.array(anyText)], { error: "a text, or a list of words" })
    .optional(),
  ports: entries(PORT_EXAMPLES, parsePorts).default([]),
  register: scalar('a port of the container such as "8000"', parseRegisteredPort).optional(),
  volumes: entries(VOLUME_EXAMPLES, parseVolume).default([]),
  env: entries(ENVIRONMENT_EXAMPLES, parseEnvironmentEntry).default([]),
  release_name: CONTAINER_NAME.optional(),
  container: CONTAINER_NAME.optional(),
  links: entries(LINK_EXAMPLES, parseLink).default([]),
  registry_login: scalar(LOGIN_EXAMPLES, (value) => (isLogin(value) ? new Secret(value) : undefined)).optional(),
  hostname: textLike(/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/, "a host name").optional(),
  user: textLike(/^[\w.-]+(?::[\w.-]+)?$/, 'a user such as "1000:1000" or "www-data"').optional(),
  group_add: oneOrMany(text("a group's name or number, or a path of the host whose group is meant"), "groups").default(
    [],
  ),
  read_only: flag.default(false),
  tmpfs: oneOrMany(tmpfsEntry, "folders").default([]),
  restart: restart.prefault("no"),
  network: textLike(/^[A-Za-z0-9][\w.-]*$/, "bridge, host, none or a network's name").default("bridge"),
  init: flag.default(false),
  labels: mapping(z.string(), anyText, "a mapping of names to text").default({}),
  health: textLike(/^\/[!-~]*$/, "a path such as /healthz").default("/"),
  first_request: textLike(/^\/[!-~]*$/, "a path such as /").optional(),
  health_timeout: duration.prefault("60s"),
});

const File = mapping(
  z.string(),
  Written,
  "a mapping of applications: a name, and below it image, ports, env and so on",
);

/**
 * The applications of one file, in its order. Values of the environment are not looked at.
 * @throws ConfigError with all mistakes, each with its line.
 */
export function parseApplications(source: string, file: string): readonly Application[] {
  const written = parseYaml(source, { file, schema: File, crossCheck, isSensitive });
  const applications = Object.entries(written).map(([name, application]) => toApplication(name, application));
  return applications.map((application) => ({
    ...application,
    links: application.links.map(toContainer(applications)),
  }));
}

function toApplication(name: string, written: z.output<typeof Written>): Application {
  const command = written.command ?? (written.cmd && fromCmd(written.cmd)) ?? [];
  return {
    name,
    container: written.container ?? written.release_name ?? name,
    release: written.release_name ?? written.container ?? name,
    image: written.container === undefined ? written.image : undefined,
    command: command.length > 0 ? command : undefined,
    ports: written.ports.flat(),
    register: written.register,
    volumes: written.volumes,
    env: written.env,
    links: written.links,
    registryLogin: written.registry_login,
    hostname: written.hostname,
    user: written.user,
    groupAdd: written.group_add,
    readOnly: written.read_only,
    tmpfs: Object.fromEntries(written.tmpfs),
    restart: written.restart,
    network: written.network,
    init: written.init,
    labels: written.labels,
    health: written.health,
    healthTimeoutMs: written.health_timeout,
    firstRequest: written.first_request,
  };
}

/** A link to an application of the file goes to its container. */
function toContainer(applications: readonly Application[]): (link: Link) => Link {
  const containers = new Map(applications.map(({ name, container }) => [name, container]));
  return ({ target, alias }) => ({ target: containers.get(target) ?? target, alias });
}

/** What no key can be wrong about by itself. */
function crossCheck(value: unknown): readonly Problem[] {
  if (!isMapping(value)) return [];
  const applications = Object.entries(value);
  if (applications.length === 0) return [{ path: [], message: "there is no application in this file" }];
  const problems: Problem[] = [];
  const owners = new Map<string, string>();
  const names = applications.map(([name]) => name);
  for (const [index, [name, application]] of applications.entries()) {
    const parsed = Written.safeParse(application);
    if (!CONTAINER_NAME.safeParse(name).success)
      problems.push({
        path: [name],
        message: "this name cannot stand here, allowed: two or more letters, digits, '_', '.' and '-'",
      });
    if (!parsed.success) continue;
    problems.push(...within(name, parsed.data));
    const { container } = toApplication(name, parsed.data);
    const owner = owners.get(container);
    if (owner !== undefined)
      problems.push({
        path: [name, "release_name"],
        message: `${owner} has a container of that name (${container}) too`,
      });
    owners.set(container, name);
    for (const { target } of parsed.data.links) {
      if (names.indexOf(target) >= index)
        problems.push({ path: [name, "links"], message: `${target} is started after ${name}; put it before` });
    }
  }
  return problems;
}

function within(name: string, written: z.output<typeof Written>): readonly Problem[] {
  const problems: Problem[] = [];
  const tell = (key: string, message: string) => problems.push({ path: [name, key], message });
  if (written.image === undefined && written.container === undefined)
    tell(
      "image",
      "missing, needed: an image such as docker-ci/docker-ci (or container: for one that is there already)",
    );
  if (written.command !== undefined && written.cmd !== undefined)
    tell("cmd", "command and cmd say the same, allowed: one of them");
  const { register, network } = written;
  const published = written.ports.flat().map(({ container }) => container);
  if (register !== undefined && network !== "host" && written.container === undefined && !published.includes(register))
    tell("register", `port ${register} is not among ports, so no gateway could reach it`);
  if (written.links.length > 0 && (network === "host" || network === "none"))
    tell("links", `a container with the network ${network} is in no other`);
  return problems;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSensitive(path: KeyPath): boolean {
  return path.includes("env") || path.includes("registry_login") || path.includes("labels");
}
