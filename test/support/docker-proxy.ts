/** A door in front of the Engine that can be slammed: for connections that break and engines that are away for a while. */

import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface DockerProxy extends AsyncDisposable {
  readonly address: string;
  /** Breaks every open connection, once it has carried this many bytes to us; later ones are whole again. */
  breakAfter(bytes: number): void;
}

/** @param address of an earlier proxy, to open the same door again. */
export async function openDockerProxy(address?: string): Promise<DockerProxy> {
  const path =
    address?.replace("unix://", "") ?? join(await mkdtemp(join(tmpdir(), "docker-ci-proxy-")), "docker.sock");
  await mkdir(dirname(path), { recursive: true });
  const open = new Set<Socket>();
  let limit = Number.POSITIVE_INFINITY;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const engine = createConnection({ path: "/var/run/docker.sock", allowHalfOpen: true });
    let carried = 0;
    open.add(socket);
    for (const end of [socket, engine]) end.on("error", () => undefined);
    socket.pipe(engine);
    engine.on("data", (bytes: Buffer) => {
      carried += bytes.length;
      if (!socket.write(bytes)) {
        engine.pause();
        socket.once("drain", () => engine.resume());
      }
      if (carried < limit) return;
      limit = Number.POSITIVE_INFINITY;
      socket.destroy();
      engine.destroy();
    });
    engine.on("end", () => socket.end());
    socket.on("close", () => {
      open.delete(socket);
      engine.destroy();
    });
  });
  server.listen(path);
  await once(server, "listening");
  return {
    address: `unix://${path}`,
    breakAfter(bytes) {
      limit = bytes;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      await rm(dirname(path), { recursive: true });
    },
  };
}
