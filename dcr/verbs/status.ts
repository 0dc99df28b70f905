/** `dcr FILE status` (O-142). */
import type { ContainerInspectInfo } from "dockerode";
import { formatAge } from "../../src/units.ts";
import { inspect, type State, shortId, stateOf } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { digestOf } from "../images.ts";
import { onEveryHost } from "../session.ts";
import type { Row } from "../table.ts";
import { tell, type Verb } from "./verb.ts";

interface Status {
  readonly host: string;
  readonly container: string;
  readonly state: State;
  readonly image: string | undefined;
  /** At the registry, else the image's id. */
  readonly digest: string | undefined;
  readonly health: string | undefined;
  readonly startedAt: string | undefined;
  readonly exitCode: number | undefined;
  readonly ports: readonly string[];
}

export const status: Verb = {
  name: "status",
  summary: "running, stopped or doesnotexist for each container on each host, with image, health, uptime, ports",
  takesDomain: "never",
  options: ["json"],
  usesGateways: false,
  async run(session) {
    const found = new Map<string, Status>();
    const rows = await onEveryHost(session, async (daemon, { container }) => {
      const status = await look(daemon, container);
      found.set(`${daemon.name}\n${container}`, status);
      return { result: status.state };
    });
    if (session.options.json) {
      const answers = rows.map((row) => found.get(`${row.cells[0]}\n${row.cells[1]}`) ?? unknown(row));
      session.output.write(`${JSON.stringify(answers, null, 2)}\n`);
      return rows.every(({ failed }) => failed !== true);
    }
    const filled = rows.map((row): Row => {
      const status = found.get(`${row.cells[0]}\n${row.cells[1]}`);
      return status === undefined ? row : { ...row, cells: [...row.cells, ...cellsOf(status)] };
    });
    return tell(session, ["HOST", "CONTAINER", "STATE", "HEALTH", "UP", "IMAGE", "PORTS"], filled);
  },
};

async function look(daemon: Daemon, container: string): Promise<Status> {
  const info = await inspect(daemon, container);
  const common = { host: daemon.name, container, state: stateOf(info) };
  if (info === undefined) {
    const none = { image: undefined, digest: undefined, health: undefined, startedAt: undefined, exitCode: undefined };
    return { ...common, ...none, ports: [] };
  }
  const { Running, StartedAt, ExitCode, Health } = info.State;
  return {
    ...common,
    image: info.Config.Image,
    digest: await digestOf(daemon, info.Image),
    health: Running ? Health?.Status : undefined,
    startedAt: Running ? StartedAt : undefined,
    exitCode: Running ? undefined : ExitCode,
    ports: portsOf(info),
  };
}

function cellsOf({ state, health, startedAt, exitCode, image, digest, ports }: Status): string[] {
  if (state === "doesnotexist") return [];
  const up = startedAt === undefined ? `exit ${exitCode}` : formatAge(Date.now() - Date.parse(startedAt));
  return [health ?? "", up, `${image} ${shortId(digest ?? "")}`, ports.join(", ")];
}

function portsOf(info: ContainerInspectInfo): string[] {
  return Object.entries(info.NetworkSettings.Ports ?? {}).flatMap(([inside, bindings]) =>
    // IPv4 and IPv6 are bound each.
    [...new Set((bindings ?? []).map(({ HostPort }) => `${HostPort}:${inside.replace("/tcp", "")}`))],
  );
}

function unknown({ cells: [host, container, error] }: Row) {
  return { host, container, state: "unknown", error };
}
