/** One application's container on one host: looked at, made, started, stopped, removed. */
import type { ContainerInspectInfo } from "dockerode";
import { imageId } from "../adapters/docker/images.ts";
import { createNetwork } from "../adapters/docker/networks.ts";
import { Refusal, unless } from "../adapters/docker/refusal.ts";
import { RuntimeError } from "../src/errors.ts";
import type { Application } from "./application.ts";
import type { Daemon } from "./daemon.ts";
import { drawPorts } from "./drawn-ports.ts";
import { linkNetwork } from "./links.ts";
import { runOnce } from "./run-once.ts";
import { createOptions, differences, linksByNetwork, type OnHost, readSpec, specOf, type Values } from "./spec.ts";

/** O-142. */
export type State = "running" | "stopped" | "doesnotexist";

export async function inspect({ engine }: Daemon, container: string): Promise<ContainerInspectInfo | undefined> {
  return await unless(
    engine.ask((docker) => docker.getContainer(container).inspect()),
    [404],
    undefined,
  );
}

export function stateOf(info: ContainerInspectInfo | undefined): State {
  return info === undefined ? "doesnotexist" : info.State.Running ? "running" : "stopped";
}

/** What `start --recreate` would change of a container that is there, a line each. */
export async function differencesOf(
  daemon: Daemon,
  application: Application,
  env: Values,
  info: ContainerInspectInfo,
): Promise<string[]> {
  const { image } = application;
  if (image === undefined) return [];
  const made = readSpec(info.Config.Labels);
  if (made === undefined) return ["it was not made by dcr"];
  const current = await imageId(daemon.engine, image);
  const isOther = made.image === image && current !== undefined && current !== info.Image;
  return [
    ...differences(made, specOf(application, env)),
    ...(isOther ? [`image: ${image} is ${shortId(current)} now (was ${shortId(info.Image)})`] : []),
  ];
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

/** @throws RuntimeError when it cannot be made; nothing is left behind then. */
export async function createContainer(
  daemon: Daemon,
  application: Application,
  env: Values,
  keptPorts: OnHost["hostPorts"],
): Promise<void> {
  const { engine } = daemon;
  const { container, image, network } = application;
  if (image === undefined) {
    throw new RuntimeError(`there is no container ${container}, and "container:" says that dcr does not make it`);
  }
  if (!["bridge", "host", "none"].includes(network)) await createNetwork(engine, network, {}, false);
  const hostPorts = await drawPorts(daemon, application, keptPorts);
  const groups = await Promise.all(application.groupAdd.map((group) => groupOnHost(daemon, image, group)));
  await engine
    .ask((docker) => docker.createContainer(createOptions(application, env, { groups, hostPorts })))
    .catch((error: unknown) => {
      throw whyNotCreated(error);
    });
  try {
    await connectLinks(daemon, application);
  } catch (error) {
    await removeContainer(daemon, container);
    throw error;
  }
}

/** A path stands for the group that owns it. */
async function groupOnHost(daemon: Daemon, image: string, group: string): Promise<string> {
  if (!group.startsWith("/")) return group;
  return (
    await runOnce(daemon, { image, script: 'stat -c %g "$1"', args: ["/on-host"], binds: [[group, "/on-host"]] })
  ).trim();
}

/** Into the networks of what it links to, and into its own when somebody links to it already. */
async function connectLinks({ engine }: Daemon, application: Application): Promise<void> {
  const connect = (network: string, container: string, links: readonly string[]) =>
    engine.ask((docker) =>
      docker.getNetwork(network).connect({ Container: container, EndpointConfig: { Links: [...links] } }),
    );
  for (const { target } of application.links) {
    const network = linkNetwork(target);
    await createNetwork(engine, network, { "dcr.link": target }, false);
    try {
      // 403: `endpoint with name x already exists in network y`.
      await unless(connect(network, target, []), [403], undefined);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) {
        throw new RuntimeError(`there is no container ${target} to link to`, { cause: error });
      }
      throw error;
    }
  }
  for (const [network, links] of linksByNetwork(application)) await connect(network, application.container, links);
  // The Engine takes a network that is not there, and fails at the start.
  const own = linkNetwork(application.container);
  const isLinkedTo = await unless(
    engine.ask((docker) => docker.getNetwork(own).inspect()),
    [404],
    undefined,
  );
  if (isLinkedTo !== undefined) await connect(own, application.container, []);
}

/** `invalid mount config for type "bind": bind source path does not exist: /home/docker-ci` */
function whyNotCreated(error: unknown): unknown {
  const missing =
    error instanceof Refusal ? /bind source path does not exist: (\S+)/.exec(error.message)?.[1] : undefined;
  return missing === undefined
    ? error
    : new RuntimeError(`the host has no folder ${missing}; "init" makes it`, { cause: error });
}

/** @throws RuntimeError with the Engine's reason. One that runs already is left alone. */
export async function startContainer({ engine }: Daemon, container: string): Promise<void> {
  await unless(
    engine.ask((docker) => docker.getContainer(container).start()),
    [304],
    undefined,
  );
}

/** Waits until it has stopped; the Engine kills it after `graceS`. */
export async function stopContainer({ engine }: Daemon, container: string, graceS = 30): Promise<void> {
  await unless(
    engine.ask((docker) => docker.getContainer(container).stop({ t: graceS })),
    [304],
    undefined,
  );
}

/** Its volumes stay: they may be all there is of its data. */
export async function removeContainer({ engine }: Daemon, container: string): Promise<void> {
  await unless(
    engine.ask((docker) => docker.getContainer(container).remove({ v: false })),
    [404],
    undefined,
  );
}

/** The port of the host's that leads to the registered one. @throws RuntimeError when there is none. */
export function publishedPort(info: ContainerInspectInfo, application: Application): number {
  const { register, container, network } = application;
  if (register === undefined) throw new RuntimeError(`${container} has no register: port`);
  if (network === "host") return Number.parseInt(register, 10);
  const port = info.NetworkSettings.Ports[register]?.[0]?.HostPort;
  if (port === undefined) throw new RuntimeError(`${container} does not publish its port ${register}`);
  return Number(port);
}

/** Which of the host's ports it has, by its own; a stopped one has none. */
export function publishedPorts(info: ContainerInspectInfo | undefined): ReadonlyMap<string, string> {
  const found = Object.entries(info?.NetworkSettings.Ports ?? {});
  return new Map(found.flatMap(([inside, bindings]) => (bindings?.[0] ? [[inside, bindings[0].HostPort]] : [])));
}

export function backendUrl(host: string, port: number): string {
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}
