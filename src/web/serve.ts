/** The page's listening socket. */
import { serve } from "@hono/node-server";
import { ConfigError, describeError } from "../errors.ts";

/**
 * Listens, and stops when disposed of: at once, also on those who follow a log live.
 * @param key of the configuration that chose the address. @throws ConfigError when the address is taken or not ours.
 */
export async function servePages(
  fetch: Parameters<typeof serve>[0]["fetch"],
  { host, port }: { readonly host: string; readonly port: number },
  key = "listen",
): Promise<AsyncDisposable> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, () =>
      resolve({
        async [Symbol.asyncDispose]() {
          const closed = new Promise((done) => server.close(done));
          if ("closeAllConnections" in server) server.closeAllConnections();
          await closed;
        },
      }),
    );
    server.once("error", (error) => {
      const reason = describeError(error);
      const why = reason.includes("EADDRINUSE") ? `port ${port} is in use` : reason;
      const problem = `${key}: ${why} on ${host}; choose another with ${key}:${key === "listen" ? " or PORT" : ""}`;
      reject(new ConfigError("docker-ci cannot start.", [problem], { cause: error }));
    });
  });
}
