/** A server that behaves as Slack does, for one workspace: the Web API over HTTP and Socket Mode over a real websocket. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Deferred, deferred } from "../../src/lifecycle.ts";
import { type Fault, Faults } from "./slack-faults.ts";
import { type Answer, type Args, answer } from "./slack-methods.ts";
import { Said } from "./slack-said.ts";
import { Sockets } from "./slack-sockets.ts";
import { type Message, Workspace } from "./slack-workspace.ts";

export const TOKENS = { bot: "xoxb-good", app: "xapp-good" } as const;

export interface Call {
  readonly method: string;
  readonly args: Args;
  readonly at: number;
}

export class Slack extends Said implements AsyncDisposable {
  readonly faults = new Faults();
  readonly calls: Call[] = [];
  /** What came to response_urls. */
  readonly responses: unknown[] = [];
  #server: Server | undefined;
  #port = 0;
  #frozen: Deferred<void> | undefined;

  constructor() {
    super(new Workspace(), new Sockets());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get apiUrl(): string {
    return `${this.url}/api/`;
  }

  protected override get base(): string {
    return this.url;
  }

  /** On the port it had before, if it ran before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
    this.sockets.serve(server);
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
    this.#server = server;
  }

  /** Stops in its tracks with its connections open, and goes on. */
  freeze(): void {
    this.#frozen ??= deferred();
  }

  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  /** At once and without goodbye; the workspace stays as it is. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.sockets.cut();
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }

  fault(method: string, fault: Fault, times = 1): void {
    this.faults.stage(method, fault, times);
  }

  callsOf(method: string): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** What stands in a channel itself, as it is now. */
  messages(channel = "C1"): Message[] {
    return this.#all(channel).filter(({ thread }) => thread === undefined);
  }

  thread(ts: string | undefined, channel = "C1"): Message[] {
    return this.#all(channel).filter(({ thread }) => thread !== undefined && thread === ts);
  }

  /** The bot's own, as people read them. */
  shown(channel = "C1"): string[] {
    return this.messages(channel)
      .filter(({ user }) => user === "UBOT")
      .map(({ shown }) => shown);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sockets.close();
    await this.kill();
  }

  #all(channel: string): Message[] {
    return this.workspace.channels.get(channel)?.all ?? [];
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    await this.#frozen?.promise;
    const path = request.url ?? "";
    if (path.startsWith("/upload/")) {
      const file = this.workspace.files.find(({ id }) => path.endsWith(`/${id}`));
      if (file !== undefined) file.bytes = body.length;
      response.end("OK");
    } else if (path.startsWith("/response/")) {
      this.responses.push(JSON.parse(body.toString()));
      response.end("ok");
    } else if (path.startsWith("/api/")) {
      this.#call(
        path.slice("/api/".length),
        Object.fromEntries(new URLSearchParams(body.toString())),
        request,
        response,
      );
    } else {
      response.writeHead(404).end();
    }
  }

  #call(method: string, args: Args, { headers }: IncomingMessage, response: ServerResponse): void {
    this.calls.push({ method, args, at: performance.now() });
    const reply = (status: number, text: string, more: Record<string, string> = {}): void => {
      response.writeHead(status, { "Content-Type": "application/json; charset=utf-8", ...more }).end(text);
    };
    const fault = this.faults.take(method);
    if (fault === undefined) reply(200, JSON.stringify(this.#answer(method, args, headers.authorization)));
    else if (fault.kind === "status") reply(fault.status, "<html>oops</html>");
    else if (fault.kind === "error") reply(200, JSON.stringify({ ok: false, error: fault.error }));
    else if (fault.kind === "garbage") reply(200, fault.body);
    else if (fault.kind === "limited") {
      reply(429, JSON.stringify({ ok: false, error: "ratelimited" }), { "Retry-After": String(fault.seconds) });
    } else if (fault.kind === "lost") {
      this.#answer(method, args, headers.authorization);
      response.destroy();
    }
  }

  #answer(method: string, args: Args, authorization: string | undefined): Answer {
    const forApp = method === "apps.connections.open";
    const wanted = forApp ? TOKENS.app : TOKENS.bot;
    if (authorization === undefined) return { ok: false, error: "not_authed" };
    if (authorization !== `Bearer ${wanted}`) return { ok: false, error: "invalid_auth" };
    if (forApp) return { ok: true, url: `ws://127.0.0.1:${this.#port}/link/?ticket=1` };
    return answer(this.workspace, method, args, this.url);
  }
}

export async function startSlack(): Promise<Slack> {
  const slack = new Slack();
  await slack.start();
  return slack;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
