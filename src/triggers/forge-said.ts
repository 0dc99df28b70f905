/** What commits and pull requests have been told, in Redis, so that an older word never takes the place of a newer one. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Room } from "../chat/message.ts";
import { BuildNumber } from "../names.ts";

/** No build is under way for longer. */
const KEPT_S = 30 * 86_400;

const Said = z.strictObject({ number: BuildNumber, what: z.string() });
/** The last word on one thing: of which build, and what it was. */
export type Said = z.infer<typeof Said>;

const key = (room: Room): string => `docker-ci:forge:said:${room.name}`;

export function createForgeSaid(redis: Redis) {
  return {
    async get(room: Room, about: string): Promise<Said | undefined> {
      const json = await redis.hget(key(room), about);
      return json === null ? undefined : Said.parse(JSON.parse(json));
    },
    async set(room: Room, about: string, said: Said): Promise<void> {
      await redis.multi().hset(key(room), about, JSON.stringify(said)).expire(key(room), KEPT_S).exec();
    },
  };
}
