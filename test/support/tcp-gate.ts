/** A port of the loopback that leads to another one, or nowhere: a network that a test can cut for one side only. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface TcpGate extends AsyncDisposable {
  readonly port: number;
  /** Cuts what is connected, and takes nothing new till `open`. */
  close(): void;
  open(): void;
}

export async function openTcpGate(target: number): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer({ noDelay: true }, (near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {
        // The close that follows is what counts.
      });
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    close() {
      isOpen = false;
      cut();
    },
    open() {
      isOpen = true;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      cut();
      await closed;
    },
  };
}
