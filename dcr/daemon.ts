/** One host's Docker Engine, and the ports that it publishes. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect, type Socket } from "node:net";
import Docker, { type DockerOptions } from "dockerode";
import { Engine } from "../adapters/docker/engine.ts";
import { Refusal } from "../adapters/docker/refusal.ts";
import { ConfigError, RuntimeError } from "../src/errors.ts";
import type { DaemonSettings, TlsFiles } from "./settings.ts";
import { openTunnel, type Tunnel } from "./ssh.ts";

export interface Daemon extends AsyncDisposable {
  readonly name: string;
  /** Where gateways reach its published ports. */
  readonly host: string;
  readonly engine: Engine;
  /** @throws RuntimeError when it does not answer within seconds, with what ssh said of it. */
  reach(): Promise<void>;
  /** Puts what ssh said behind an Engine that does not answer. */
  explain(error: unknown): unknown;
  /** A connection to a port of its host, by the way its Engine is reached. */
  connectTo(port: number): Promise<Socket>;
}

const REACH_TIMEOUT_MS = 15_000;

/** Opens nothing on the network yet. @throws ConfigError for certificates that cannot be read. */
export async function openDaemon(settings: DaemonSettings): Promise<Daemon> {
  const { name, host, endpoint, tls } = settings;
  const tunnels: Tunnel[] = [];
  const tunnel = async (...target: Parameters<typeof openTunnel>): Promise<Tunnel> => {
    const opened = await openTunnel(...target);
    tunnels.push(opened);
    return opened;
  };
  const files = tls === undefined ? {} : await certificates(tls);
  // One connection is used for many requests: through ssh each would log in.
  const agent =
    endpoint.kind === "tcp" && endpoint.tls
      ? new HttpsAgent({ keepAlive: true, ...files })
      : new HttpAgent({ keepAlive: true });
  const engine = new Engine(shown(settings), async () => {
    // Without `host: undefined` dockerode would prefer DOCKER_HOST to what it is given.
    const socket = (socketPath: string) => client({ socketPath, host: undefined, protocol: "http", agent });
    switch (endpoint.kind) {
      case "unix":
        return socket(endpoint.path);
      case "ssh":
        return socket(
          (
            await tunnel(
              endpoint,
              endpoint.enginePort === undefined ? "engine" : { host: "127.0.0.1", port: endpoint.enginePort },
            )
          ).path,
        );
      case "tcp":
        return client({
          host: endpoint.host,
          port: endpoint.port,
          protocol: endpoint.tls ? "https" : "http",
          agent,
          ...files,
        });
      default:
        return endpoint satisfies never;
    }
  });
  const explain = (error: unknown): unknown => {
    const complaint = tunnels[0]?.complaint();
    if (complaint === undefined || !(error instanceof RuntimeError) || error instanceof Refusal) return error;
    return new RuntimeError(`the Docker Engine at ${engine.address} does not answer (${complaint})`, { cause: error });
  };
  return {
    name,
    host,
    engine,
    explain,
    async reach() {
      const timeout = AbortSignal.timeout(REACH_TIMEOUT_MS);
      try {
        await engine.ask((docker) => docker.ping(), timeout);
      } catch (error) {
        if (!timeout.aborted) throw explain(error);
        throw new RuntimeError(
          `the Docker Engine at ${engine.address} does not answer (within ${REACH_TIMEOUT_MS / 1000}s)`,
        );
      }
    },
    async connectTo(port) {
      // As the gateways do; through ssh where this machine may have no other way to the host.
      const socket =
        endpoint.kind === "ssh"
          ? connect((await tunnel(endpoint, { host: "127.0.0.1", port })).path)
          : connect(port, host.replace(/^\[|\]$/g, ""));
      socket.setTimeout(REACH_TIMEOUT_MS, () => socket.destroy(new Error("no answer")));
      await once(socket, "connect");
      return socket;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      for (const opened of tunnels) await opened[Symbol.asyncDispose]();
    },
  };
}

/** dockerode takes an agent; its types do not know. */
function client(options: DockerOptions & { agent: HttpAgent }): Docker {
  return new Docker(options);
}

function shown({ endpoint }: DaemonSettings): string {
  switch (endpoint.kind) {
    case "unix":
      return `unix://${endpoint.path}`;
    case "ssh":
      return `ssh://${endpoint.user === undefined ? "" : `${endpoint.user}@`}${endpoint.host}`;
    case "tcp":
      return `${endpoint.tls ? "https" : "tcp"}://${endpoint.host}:${endpoint.port}`;
    default:
      return endpoint satisfies never;
  }
}

async function certificates(files: TlsFiles): Promise<{ ca?: Buffer; cert?: Buffer; key?: Buffer }> {
  const read = async (path: string): Promise<Buffer> => {
    try {
      return await readFile(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError("A certificate cannot be read:", [`${path}: ${reason}`], { cause: error });
    }
  };
  return {
    ...(files.ca === undefined ? {} : { ca: await read(files.ca) }),
    ...(files.cert === undefined ? {} : { cert: await read(files.cert) }),
    ...(files.key === undefined ? {} : { key: await read(files.key) }),
  };
}
