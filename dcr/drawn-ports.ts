/**
 * The host's ports for those of a container that may have any. The Engine would choose others at each start, also at one of its own
 * after a crash or a boot, and gateways would look for the container where it was before: so they are drawn when it is made.
 */
import { randomInt } from "node:crypto";
import { Refusal } from "../adapters/docker/refusal.ts";
import type { Application } from "./application.ts";
import type { Daemon } from "./daemon.ts";

/** Below those that Linux gives to connections (32768) and Kubernetes to services (30000). */
const FIRST = 20_000;
const LAST = 29_999;

export function hasAnyPort({ ports, network }: Application): boolean {
  return network !== "host" && ports.some(({ hostPort }) => hostPort === "");
}

/** @param kept those that are chosen already, which stay. @returns the host's ports by the container's. */
export async function drawPorts(
  { engine }: Daemon,
  application: Application,
  kept: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  if (!hasAnyPort(application)) return kept;
  const containers = await engine.ask((docker) => docker.listContainers());
  const taken = new Set(containers.flatMap(({ Ports }) => Ports.map(({ PublicPort }) => PublicPort)));
  const drawn = new Map(kept);
  for (const { container } of application.ports.filter(({ hostPort }) => hostPort === "")) {
    if (drawn.has(container)) continue;
    let port = randomInt(FIRST, LAST + 1);
    while (taken.has(port)) port = port === LAST ? FIRST : port + 1;
    taken.add(port);
    drawn.set(container, String(port));
  }
  return drawn;
}

/** `Bind for 0.0.0.0:20001 failed: port is already allocated`, `listen tcp4 0.0.0.0:20001: bind: address already in use` */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Refusal && /port is already allocated|address already in use/.test(error.message);
}
