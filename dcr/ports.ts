/** Ports of a container as applications write them: `80`, `2222:22`, `127.0.0.1:8080:80`, `7000-7002`, `53:53/udp` (O-154). */
import { isIP } from "node:net";

export const PORT_EXAMPLES =
  'a port such as "8000", "2222:22", "127.0.0.1:8080:80", "7000-7002" or "53:53/udp" (container, host:container, address:host:container)';

export interface PublishedPort {
  /** As the Engine has it: `8000/tcp`. */
  readonly container: string;
  /** Empty: every address of the host. */
  readonly hostIp: string;
  /** Empty: any free port; a range: any free one of it. */
  readonly hostPort: string;
}

const PORT =
  /^(?:(?:(?<ip>\[[0-9a-fA-F:.]+\]|[0-9.]+):)?(?<host>\d{0,5}(?:-\d{1,5})?):)?(?<inside>\d{1,5}(?:-\d{1,5})?)(?:\/(?<protocol>tcp|udp))?$/;

/** The ports that one entry publishes; a range is several. `undefined` when it is none. */
export function parsePorts(text: string): readonly PublishedPort[] | undefined {
  const found = PORT.exec(text.trim())?.groups;
  if (found === undefined) return undefined;
  const { ip = "", host = "", inside = "", protocol = "tcp" } = found;
  const ports = range(inside);
  const hosts = host === "" ? [] : range(host);
  if (ports === undefined || hosts === undefined) return undefined;
  const hostIp = ip.replace(/^\[|\]$/g, "");
  if (hostIp !== "" && isIP(hostIp) === 0) return undefined;
  // A range of the host's for a single port lets the Engine choose one of it.
  if (ports.length === 1 && hosts.length > 1) return [{ container: `${inside}/${protocol}`, hostIp, hostPort: host }];
  if (hosts.length > 0 && hosts.length !== ports.length) return undefined;
  return ports.map((port, index) => ({
    container: `${port}/${protocol}`,
    hostIp,
    hostPort: hosts[index] === undefined ? "" : String(hosts[index]),
  }));
}

/** Which of a container's ports the gateways send requests to: `80`, `80/tcp`. As the Engine has it; `undefined` when it is none. */
export function parseRegisteredPort(text: string): string | undefined {
  const port = /^(\d{1,5})(?:\/tcp)?$/.exec(text.trim())?.[1];
  return port !== undefined && isPort(Number(port)) ? `${Number(port)}/tcp` : undefined;
}

function range(text: string): number[] | undefined {
  const [from = Number.NaN, to = from] = text.split("-").map(Number);
  if (!isPort(from) || !isPort(to) || to < from) return undefined;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65535;
}
