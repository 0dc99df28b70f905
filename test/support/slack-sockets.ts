/** Socket Mode's side of the server: hello, envelopes to one socket each, acknowledgements, delivering again what has none. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

export interface Envelope {
  readonly id: string;
  readonly type: "events_api" | "slash_commands" | "interactive";
  readonly sentAt: number;
  ackedAt: number | undefined;
  /** What came with the acknowledgement. */
  answer: unknown;
}

/** Slack takes three seconds for a refusal, and delivers again then. */
const ACK_MS = 3_000;

export class Sockets {
  readonly envelopes = new Map<string, Envelope>();
  readonly #open = new Set<WebSocket>();
  /** Events that came while nobody was connected. */
  #kept: (() => void)[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Whether it says hello, and answers pings. */
  mute = false;
  /** Whether it answers upgrades as a plain web server would. */
  refuse = false;
  connections = 0;

  /** Serves upgrades of this server until it is closed. */
  serve(server: Server): void {
    const accept = new WebSocketServer({ noServer: true, autoPong: false });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (this.refuse) return void socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
      accept.handleUpgrade(request, socket, head, (opened) => this.#opened(opened));
    });
  }

  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** An event waits for a socket, and is delivered again until it is acknowledged; the others are gone if nobody is there. */
  deliver(type: Envelope["type"], payload: object, attempt = 0): void {
    const socket = [...this.#open].find(({ readyState, OPEN }) => readyState === OPEN);
    if (socket === undefined) {
      if (type === "events_api") this.#kept.push(() => this.deliver(type, payload, attempt));
      return;
    }
    const id = randomUUID();
    this.envelopes.set(id, { id, type, sentAt: performance.now(), ackedAt: undefined, answer: undefined });
    const retry = attempt === 0 ? {} : { retry_attempt: attempt, retry_reason: "timeout" };
    socket.send(
      JSON.stringify({ type, envelope_id: id, accepts_response_payload: type !== "events_api", payload, ...retry }),
    );
    if (type !== "events_api") return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.envelopes.get(id)?.ackedAt === undefined && attempt < 3) this.deliver(type, payload, attempt + 1);
    }, ACK_MS);
    this.#timers.add(timer);
  }

  /** Any text, on every socket. */
  raw(text: string): void {
    for (const socket of this.#open) socket.send(text);
  }

  /** Cuts every connection, without a word. */
  cut(): void {
    for (const socket of this.#open) socket.terminate();
    this.#open.clear();
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.cut();
  }

  #opened(socket: WebSocket): void {
    this.connections += 1;
    socket.on("error", () => socket.terminate());
    socket.on("close", () => this.#open.delete(socket));
    socket.on("ping", (data) => {
      if (!this.mute) socket.pong(data);
    });
    socket.on("message", (data) => this.#acknowledged(String(data)));
    if (this.mute) return;
    socket.send(JSON.stringify({ type: "hello", num_connections: 1, connection_info: { app_id: "A1" } }));
    this.#open.add(socket);
    for (const again of this.#kept.splice(0)) again();
  }

  #acknowledged(text: string): void {
    const { envelope_id, payload }: { envelope_id: string; payload?: unknown } = JSON.parse(text);
    const envelope = this.envelopes.get(envelope_id);
    if (envelope !== undefined) Object.assign(envelope, { ackedAt: performance.now(), answer: payload });
  }
}
