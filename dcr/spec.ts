/** What a container is made with: for the Engine, and as a label by which a later `dcr` sees what has changed. */
import { createHash } from "node:crypto";
import type { ContainerCreateOptions, HostConfig, MountSettings } from "dockerode";
import { z } from "zod";
import type { Secret } from "../src/config/secret.ts";
import type { Application } from "./application.ts";
import { linkNetwork } from "./links.ts";

/** The application's name, by which containers of `dcr` are found. */
const APPLICATION_LABEL = "dcr.application";
/** What the container was made with; values of the environment only as sums. */
const SPEC_LABEL = "dcr.spec";

/** One line of a specification each, by what it is about. */
export type Spec = Readonly<Record<string, string>>;
export type Values = ReadonlyMap<string, Secret>;

export function specOf(application: Application, env: Values): Spec {
  const { command, hostname, user, restart } = application;
  return {
    image: application.image ?? "",
    ...(command === undefined ? {} : { command: JSON.stringify(command) }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(user === undefined ? {} : { user }),
    ...(application.readOnly ? { read_only: "true" } : {}),
    ...(application.init ? { init: "true" } : {}),
    ...(restart.name === "no" ? {} : { restart: `${restart.name}${restart.retries > 0 ? `:${restart.retries}` : ""}` }),
    ...(application.network === "bridge" ? {} : { network: application.network }),
    ...each("group", application.groupAdd, (group) => [group, "added"]),
    ...each("port", application.ports, ({ container, hostIp, hostPort }) => [
      container,
      `${hostIp === "" ? "" : `${hostIp}:`}${hostPort || "any"}`,
    ]),
    ...each("volume", application.volumes, ({ source, target, readOnly }) => [
      target,
      `${source ?? "a volume without a name"}${readOnly ? " (read-only)" : ""}`,
    ]),
    ...each("tmpfs", Object.entries(application.tmpfs), ([path, options]) => [path, options || "default"]),
    ...each("link", application.links, ({ target, alias }) => [alias, target]),
    ...each("label", Object.entries(application.labels), (label) => label),
    ...each("env", [...env], ([name, value]) => [name, sumOf(`${application.container}\n${name}\n${value.reveal()}`)]),
  };
}

function each<T>(
  what: string,
  entries: readonly T[],
  read: (entry: T) => readonly [string, string],
): Record<string, string> {
  return Object.fromEntries(entries.map(read).map(([name, value]) => [`${what} ${name}`, value]));
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** What differs, a line each; of the environment only that it does. */
export function differences(made: Spec, wanted: Spec): string[] {
  return [...new Set([...Object.keys(made), ...Object.keys(wanted)])].flatMap((what) => {
    const [was, is] = [made[what], wanted[what]];
    if (was === is) return [];
    const change = was === undefined ? "added" : is === undefined ? "removed" : "changed";
    if (what.startsWith("env ")) return [`${what}: ${change}`];
    return [`${what}: ${change} (${[was, is].filter((value) => value !== undefined).join(" → ")})`];
  });
}

/** The label of a container; `undefined` when `dcr` did not make it. */
export function readSpec(labels: Readonly<Record<string, string>>): Spec | undefined {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(labels[SPEC_LABEL] ?? ""));
  } catch {
    // Somebody else's container, or one of a `dcr` to come.
    return undefined;
  }
}

/** What only the host can tell. */
export interface OnHost {
  /** The numbers or names behind `group_add`. */
  readonly groups: readonly string[];
  /** Ports of the host in the place of any free one: those of the container that is replaced, or drawn for this one. */
  readonly hostPorts: ReadonlyMap<string, string>;
}

export function createOptions(
  application: Application,
  env: Values,
  { groups, hostPorts }: OnHost,
): ContainerCreateOptions {
  const { image, command, hostname, user, ports, network, links } = application;
  const host: HostConfig = {
    NetworkMode: network,
    PortBindings: portBindings(application, hostPorts),
    Mounts: application.volumes.map(mount),
    RestartPolicy: { Name: application.restart.name, MaximumRetryCount: application.restart.retries },
    ReadonlyRootfs: application.readOnly,
    Init: application.init,
    Tmpfs: { ...application.tmpfs },
    GroupAdd: [...groups],
  };
  return {
    name: application.container,
    Image: image ?? "",
    Env: [...env].map(([name, value]) => `${name}=${value.reveal()}`),
    ExposedPorts: Object.fromEntries(ports.map(({ container }) => [container, {}])),
    Labels: {
      ...application.labels,
      [APPLICATION_LABEL]: application.name,
      [SPEC_LABEL]: JSON.stringify(specOf(application, env)),
    },
    HostConfig: host,
    ...(command === undefined ? {} : { Cmd: [...command] }),
    ...(hostname === undefined ? {} : { Hostname: hostname }),
    ...(user === undefined ? {} : { User: user }),
    // A network of one's own has names for its containers; the bridge of old has none.
    ...(links.length > 0 || ["bridge", "host", "none"].includes(network)
      ? {}
      : { NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [application.name] } } } }),
  };
}

/** The networks through which it reaches what it links to, and under which names. */
export function linksByNetwork({ links }: Application): ReadonlyMap<string, readonly string[]> {
  const byNetwork = new Map<string, string[]>();
  for (const { target, alias } of links) {
    const network = linkNetwork(target);
    byNetwork.set(network, [...(byNetwork.get(network) ?? []), `${target}:${alias}`]);
  }
  return byNetwork;
}

function portBindings({ ports, network }: Application, chosen: OnHost["hostPorts"]): HostConfig["PortBindings"] {
  if (network === "host") return {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { container, hostIp, hostPort } of ports) {
    bindings[container] = [
      ...(bindings[container] ?? []),
      { HostIp: hostIp, HostPort: hostPort || (chosen.get(container) ?? "") },
    ];
  }
  return bindings;
}

/** A bind of a folder that is not there is refused, where the older `Binds` would make it, owned by root. */
function mount({ source, target, readOnly }: Application["volumes"][number]): MountSettings {
  const base = { Target: target, ReadOnly: readOnly };
  return source?.startsWith("/") === true
    ? { Type: "bind", Source: source, ...base }
    : { Type: "volume", Source: source ?? "", ...base };
}
