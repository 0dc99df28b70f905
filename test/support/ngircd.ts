/** A real ngircd on a free port of the loopback, with its configuration in a folder of its own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, runServer, type Server } from "./irc-server.ts";
import { makeCertificate } from "./irc-tls.ts";

export interface NgircdOptions {
  /** Default: one that is free. */
  readonly port?: number;
  /** Also listens with TLS, with a certificate for 127.0.0.1 by a private authority. */
  readonly tls?: boolean;
  /**
   * Keeps ngircd's own throttle on, which lets a client wait for a second after three commands in one (and so after
   * registering, too). Off by default, because it makes every join of a test last a second.
   */
  readonly throttle?: boolean;
  /** The longest nick it takes; default 31. */
  readonly nickLength?: number;
  /** The server's own, asked of everybody. */
  readonly password?: string;
  /** One more address to listen on: that of the Engine's bridge, for containers. */
  readonly alsoOn?: string;
}

export interface Ngircd extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** The TLS port, and the private authority's certificate as PEM text. */
  readonly tls: { readonly port: number; readonly ca: string } | undefined;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port; resolves when it accepts connections. */
  start(): Promise<void>;
  /** Stops it in its tracks (SIGSTOP), so that it is silent with its connections open, and lets it go on. */
  freeze(): void;
  thaw(): void;
}

/** Note that ngircd closes a connection that sends a line of more than 512 bytes, and that it has no services accounts. */
export async function startNgircd(options: NgircdOptions = {}): Promise<Ngircd> {
  const folder = await mkdtemp(join(tmpdir(), "ngircd-"));
  const port = options.port ?? (await freePort());
  const tls = options.tls === true ? { port: await freePort(), ...(await makeCertificate(folder)) } : undefined;
  const file = join(folder, "ngircd.conf");
  await writeFile(file, configuration(port, options, tls));
  const server: Server = await runServer("ngircd", ["--nodaemon", "--config", file], port);
  return {
    host: "127.0.0.1",
    port,
    tls: tls === undefined ? undefined : { port: tls.port, ca: tls.ca },
    kill: server.kill,
    start: server.start,
    freeze: () => server.signal("SIGSTOP"),
    thaw: () => server.signal("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(
  port: number,
  options: NgircdOptions,
  tls: { port: number; certFile: string; keyFile: string } | undefined,
): string {
  // Started as root it insists on becoming somebody else; 65534 is nobody and nogroup on every Linux.
  const user = process.getuid?.() === 0 ? "ServerUID = 65534\nServerGID = 65534" : "";
  const ssl =
    tls === undefined ? "" : `[SSL]\nCertFile = ${tls.certFile}\nKeyFile = ${tls.keyFile}\nPorts = ${tls.port}`;
  return `[Global]
Name = irc.test.example
Info = test
Listen = 127.0.0.1${options.alsoOn === undefined ? "" : `,${options.alsoOn}`}
Ports = ${port}
MotdPhrase = welcome
${options.password === undefined ? "" : `Password = ${options.password}`}
${user}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = ${options.nickLength ?? 31}
${options.throttle === true ? "" : "MaxPenaltyTime = 0"}
[Options]
DNS = no
Ident = no
PAM = no
CloakHost =
${ssl}
`;
}
