/** A bare person on IRC over a plain socket: joins, says, and waits for lines. Knows nothing of the bot's own client. */
import { createConnection, type Socket } from "node:net";

export interface Person extends AsyncDisposable {
  readonly nick: string;
  /** Every line the server sent, oldest first. */
  readonly lines: readonly string[];
  /** Writes one raw line. */
  send(line: string): void;
  /** Joins, and waits until the server has listed who is there. */
  join(channel: string, key?: string): Promise<void>;
  say(target: string, text: string): void;
  /**
   * The next line that matches, beginning after the one that the last `hear` gave: a story is told in order.
   * Rejects with what was heard instead after `timeoutMs` (10 s), or when the connection ends.
   */
  hear(pattern: RegExp, timeoutMs?: number): Promise<string>;
}

/** Connects and registers; answers PINGs by itself. `caps` are requested first (`server-time`). */
export async function connectPerson(
  server: { readonly host: string; readonly port: number },
  nick: string,
  { caps = [] }: { caps?: readonly string[] } = {},
): Promise<Person> {
  const socket = createConnection({ host: server.host, port: server.port, noDelay: true });
  const lines = readLines(socket);
  const send = (line: string): void => {
    socket.write(`${line}\r\n`);
  };
  if (caps.length > 0) send(`CAP REQ :${caps.join(" ")}`);
  send(`NICK ${nick}`);
  send(`USER ${nick.slice(0, 8)} 0 * :${nick}`);
  if (caps.length > 0) send("CAP END");

  let next = 0;
  const person: Person = {
    nick,
    lines: lines.all,
    send,
    async join(channel, key) {
      send(`JOIN ${channel}${key === undefined ? "" : ` ${key}`}`);
      await person.hear(/ 366 /);
    },
    say: (target, text) => send(`PRIVMSG ${target} :${text}`),
    async hear(pattern, timeoutMs = 10_000) {
      const found = await lines.find(pattern, next, timeoutMs);
      next = found + 1;
      return lines.all[found] ?? "";
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
      if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
    },
  };
  await person.hear(/ (376|422) /);
  return person;
}

/** Collects a socket's lines and answers its PINGs. */
function readLines(socket: Socket) {
  const all: string[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  let ended = false;
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    const parts = (rest + String(chunk)).split("\r\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      if (line.startsWith("PING ")) socket.write(`PONG ${line.slice(5)}\r\n`);
      all.push(line);
    }
    wake();
  });
  socket.on("error", () => {
    // The close that follows says all there is to say to a test.
  });
  socket.on("close", () => {
    ended = true;
    wake();
  });

  /** The index of the first line from `from` on that matches. */
  function find(pattern: RegExp, from: number, timeoutMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        waiting.delete(look);
        clearTimeout(timer);
        act();
      };
      const fail = (why: string): void => {
        const heard = all.slice(from).slice(-20).join("\n");
        settle(() => reject(new Error(`${why} before ${pattern}; heard:\n${heard}`)));
      };
      const look = (): void => {
        const index = all.findIndex((line, at) => at >= from && pattern.test(line));
        if (index >= 0) settle(() => resolve(index));
        else if (ended) fail("the connection ended");
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      waiting.add(look);
      look();
    });
  }
  return { all, find };
}
