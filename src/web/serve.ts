/** The page's listening socket. */
import { Server as HttpServer, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { ConfigError, describeError } from "../errors.ts";

/** How long answers that were begun have to come to their end. */
const LAST_ANSWERS_MS = 2_000;

export type Fetch = Parameters<typeof serve>[0]["fetch"];

/** Disposing stops it: answers that were begun come to their end, but for those to who follows a log live. */
export interface Served extends AsyncDisposable {
  /** Asks whoever keeps a connection open for more to open a new one for it, as a stop in a moment would make them. */
  drain(): void;
}

/** @param key of the configuration that chose the address. */
export type ServePages = (
  fetch: Fetch,
  address: { readonly host: string; readonly port: number },
  key?: string,
) => Promise<Served>;

/** Listens. @throws ConfigError when the address is taken or not ours. */
export const servePages: ServePages = (fetch, { host, port }, key = "listen") =>
  new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, () => {
      // Only with options that are not given here it would be another one.
      if (server instanceof HttpServer) resolve(served(server));
    });
    server.once("error", (error) => {
      const reason = describeError(error);
      const why = reason.includes("EADDRINUSE") ? `port ${port} is in use` : reason;
      const problem = `${key}: ${why} on ${host}; choose another with ${key}:${key === "listen" ? " or PORT" : ""}`;
      reject(new ConfigError("docker-ci cannot start.", [problem], { cause: error }));
    });
  });

function served(server: HttpServer): Served {
  const answering = new Set<ServerResponse>();
  let draining = false;
  const close = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader("connection", "close");
  };
  server.prependListener("request", (_request, response) => {
    if (draining) close(response);
    answering.add(response);
    response.once("close", () => {
      answering.delete(response);
      // One whose head was sent before has promised to stay open.
      if (draining) server.closeIdleConnections();
    });
  });
  const drain = (): void => {
    draining = true;
    answering.forEach(close);
  };
  return {
    drain,
    async [Symbol.asyncDispose]() {
      drain();
      const closed = new Promise((done) => server.close(done));
      for (const response of answering) if (isEndless(response)) response.destroy();
      await Promise.race([closed, sleep(LAST_ANSWERS_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Browsers come back by themselves to what they follow. */
function isEndless(response: ServerResponse): boolean {
  return String(response.getHeader("content-type")).startsWith("text/event-stream");
}
