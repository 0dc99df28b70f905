/**
 * A proxy that finds a domain's backends as hipache did: for each request, `frontend:DOMAIN` (the first entry is a name, one of
 * the rest is taken by chance) without the places in `dead:DOMAIN`. It tries no second one, so nothing that fails is hidden.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { Redis } from "ioredis";
import { portOf } from "./loopback.ts";

export interface HipacheProxy extends AsyncDisposable {
  readonly port: number;
}

/** hipache's own default. */
const DEAD_FOR_S = 30;

export async function openHipacheProxy(redisUrl: string): Promise<HipacheProxy> {
  const redis = new Redis(redisUrl);
  const server = createServer((incoming, outgoing) => {
    route(redis, incoming, outgoing).catch((error: unknown) => {
      outgoing.writeHead(502).end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      redis.disconnect();
    },
  };
}

async function route(redis: Redis, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const domain = (incoming.headers.host ?? "").replace(/:\d+$/, "");
  const [entries, dead] = await Promise.all([
    redis.lrange(`frontend:${domain}`, 0, -1),
    redis.smembers(`dead:${domain}`),
  ]);
  const backends = entries.slice(1).map((url, place) => ({ url, place: String(place) }));
  const alive = backends.filter(({ place }) => !dead.includes(place));
  const chosen = alive[Math.floor(Math.random() * alive.length)];
  if (chosen === undefined) {
    outgoing.writeHead(backends.length === 0 ? 400 : 502).end("no backend");
    return;
  }
  const options = { method: incoming.method ?? "GET", headers: incoming.headers, agent: false };
  const forwarded = request(new URL(incoming.url ?? "/", chosen.url), options, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.once("error", (error) => {
    const key = `dead:${domain}`;
    redis
      .multi()
      .sadd(key, chosen.place)
      .expire(key, DEAD_FOR_S)
      .exec()
      .finally(() => outgoing.writeHead(502).end(error.message))
      .catch(() => undefined);
  });
  incoming.pipe(forwarded);
}
