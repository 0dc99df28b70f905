/** The local Engine behind a TCP port, plain or with TLS that asks for a certificate. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { portOf } from "../support/loopback.ts";

export interface EngineDoor extends AsyncDisposable {
  readonly port: number;
}

/** @param tls files of the server's; who comes has to bear a certificate of the same authority. */
export async function openEngineDoor(tls?: { ca: string; certFile: string; keyFile: string }): Promise<EngineDoor> {
  const open = new Set<Socket>();
  const carry = (socket: Socket) => {
    const engine = createConnection("/var/run/docker.sock");
    for (const end of [socket, engine]) {
      open.add(end);
      end.on("error", () => undefined);
      end.on("close", () => open.delete(end));
    }
    socket.pipe(engine).pipe(socket);
  };
  const server: Server =
    tls === undefined
      ? createServer(carry)
      : createTlsServer(
          {
            ca: tls.ca,
            cert: await readFile(tls.certFile),
            key: await readFile(tls.keyFile),
            requestCert: true,
            rejectUnauthorized: true,
          },
          carry,
        );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
