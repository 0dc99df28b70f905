/** The connection to a gateway's Redis. */
import { Redis } from "ioredis";
import { describeError, RuntimeError } from "../../src/errors.ts";
import { openTunnel, type Tunnel } from "../ssh.ts";
import { type RedisAddress, shownAddress } from "./redis-address.ts";

export interface GatewayRedis extends AsyncDisposable {
  /** @throws RuntimeError when it does not answer or refuses. */
  ask<T>(request: (redis: Redis) => Promise<T>): Promise<T>;
}

const TIMEOUT_MS = 10_000;

/** Connects with the first request. @param name as it is called in messages. */
export async function openRedis(address: RedisAddress, name: string): Promise<GatewayRedis> {
  const options = {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    disconnectTimeout: 100,
    retryStrategy: () => null,
  };
  let tunnel: Tunnel | undefined;
  let redis: Redis;
  if (address.kind === "url") redis = new Redis(address.url.reveal(), options);
  else if (address.ssh === undefined) redis = new Redis({ ...options, host: address.host, port: address.port });
  else {
    const destination = { host: address.host, user: address.ssh.user, port: undefined };
    tunnel = await openTunnel(destination, { host: "127.0.0.1", port: address.port });
    redis = new Redis({ ...options, path: tunnel.path });
  }
  let trouble: unknown;
  redis.on("error", (error: Error) => {
    trouble = error;
  });
  let connected: Promise<void> | undefined;
  return {
    async ask(request) {
      try {
        connected ??= redis.connect();
        await connected;
        return await request(redis);
      } catch (error) {
        const reason = tunnel?.complaint() ?? describeError(trouble ?? error);
        throw new RuntimeError(`${name} does not answer (${reason || shownAddress(address)})`, { cause: error });
      }
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await tunnel?.[Symbol.asyncDispose]();
    },
  };
}
