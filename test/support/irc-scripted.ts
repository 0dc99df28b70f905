/** A server on a free port whose every line a test writes, for what no real one can be brought to do. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

export interface Scripted extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** How many connections there have been. */
  readonly connections: number;
  /** Writes lines to everybody connected. */
  say(...lines: string[]): void;
  /** Every line that came in. */
  readonly lines: readonly string[];
}

/** @param answer the lines to answer one with; all are connected to one server, `irc.test`. */
export async function startScripted(answer: (line: string) => readonly string[] = () => []): Promise<Scripted> {
  const sockets = new Set<Socket>();
  const lines: string[] = [];
  let connections = 0;
  const write = (socket: Socket, text: readonly string[]): void => {
    if (text.length > 0) socket.write(`${text.join("\r\n")}\r\n`);
  };
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    let rest = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      const parts = (rest + String(chunk)).split("\r\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        lines.push(line);
        write(socket, answer(line));
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  return {
    host: "127.0.0.1",
    port: address.port,
    get connections() {
      return connections;
    },
    lines,
    say: (...text) => {
      for (const socket of sockets) write(socket, text);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Lets `docker-ci` in with these capabilities, into any channel, and answers its PINGs. */
export function welcoming(caps: string): (line: string) => readonly string[] {
  return (line) => {
    const [command, first = ""] = line.split(" ");
    if (line.startsWith("CAP LS")) return [`:irc.test CAP * LS :${caps}`];
    if (line.startsWith("CAP REQ")) return [`:irc.test CAP * ACK ${line.slice(8)}`];
    if (line === "CAP END") return [":irc.test 001 docker-ci :Welcome", ":irc.test 376 docker-ci :End"];
    if (command === "JOIN") return [`:docker-ci!u@h JOIN ${first}`, `:irc.test 366 docker-ci ${first} :End`];
    if (command === "PING") return [`:irc.test PONG irc.test ${first}`];
    return [];
  };
}
