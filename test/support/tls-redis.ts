/** A redis-server as an operator runs it for workers on other machines: over TLS alone, with a user for them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { ACL_USER, workerAclRules } from "../../src/queue/redis-acl.ts";
import { makeCertificate } from "./irc-tls.ts";
import { freePort } from "./loopback.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { waitFor } from "./wait-for.ts";

const OPERATOR_PASSWORD = "the-operator-alone-knows-it";
export const WORKER_PASSWORD = "what-buildworker-shows";

export interface TlsRedis extends AsyncDisposable {
  /** As the bot reaches it, with all rights. */
  readonly url: string;
  readonly workerUrl: string;
  /** The authority's certificate. */
  readonly caFile: string;
  /** A connection of the operator's, or as a worker; closed with the server. */
  connect(who?: "operator" | "worker"): Redis;
  /** What was refused to anybody so far, as `command key`. */
  refusals(): Promise<string[]>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** @param launcher what stands before `redis-server`: `ip netns exec redis`. */
export async function startTlsRedis(
  address = "127.0.0.1",
  launcher: readonly string[] = [],
  port?: number,
): Promise<TlsRedis> {
  const folder = await temporaryFolder();
  const { certFile, keyFile } = await makeCertificate(folder.path, [address]);
  const caFile = join(folder.path, "ca.pem");
  const users = `user default on >${OPERATOR_PASSWORD} ~* &* +@all\nuser ${ACL_USER} ${workerAclRules(WORKER_PASSWORD)}\n`;
  await writeFile(join(folder.path, "users.acl"), users);
  const at = port ?? (await freePort());
  const ca = await readFile(caFile);
  const opened: Redis[] = [];
  let server: ChildProcess | undefined;

  const connect: TlsRedis["connect"] = (who = "operator") => {
    const login = who === "operator" ? {} : { username: ACL_USER };
    const password = who === "operator" ? OPERATOR_PASSWORD : WORKER_PASSWORD;
    const client = new Redis({ host: address, port: at, tls: { ca }, ...login, password, retryStrategy: () => 50 });
    client.on("error", () => {
      // It is not up yet, or was killed by the test.
    });
    opened.push(client);
    return client;
  };
  const start = async (): Promise<void> => {
    const settings = [
      ["--port", "0", "--tls-port", String(at), "--bind", address],
      [
        "--tls-cert-file",
        certFile,
        "--tls-key-file",
        keyFile,
        "--tls-ca-cert-file",
        caFile,
        "--tls-auth-clients",
        "no",
      ],
      ["--dir", folder.path, "--appendonly", "yes", "--save", "", "--aclfile", join(folder.path, "users.acl")],
    ].flat();
    const [command = "redis-server", ...given] = [...launcher, "redis-server", ...settings];
    server = spawn(command, given, { stdio: "ignore" });
    const probe = connect();
    await waitFor("Redis to answer", async () => (await probe.ping()) === "PONG");
    probe.disconnect();
  };
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, "exit");
    server.kill("SIGKILL");
    await gone;
  };
  await start();
  return {
    url: `rediss://:${OPERATOR_PASSWORD}@${address}:${at}/0`,
    workerUrl: `rediss://${ACL_USER}:${WORKER_PASSWORD}@${address}:${at}/0`,
    caFile,
    connect,
    async refusals() {
      const operator = connect();
      const entries = await operator.call("ACL", "LOG", "1000");
      operator.disconnect();
      return Array.isArray(entries) ? entries.map((entry: unknown) => JSON.stringify(entry)) : [];
    },
    kill,
    start,
    async [Symbol.asyncDispose]() {
      for (const client of opened) client.disconnect();
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}
